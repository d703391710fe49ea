import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Intensity } from '../../../src/model/scan.ts';
import type { PinnedTarget } from '../../../src/model/target.ts';
import { argvFor, portList } from '../../../src/scanners/nmap/argv.ts';
import { findNmap, installedFiles } from '../../../src/scanners/nmap/binary.ts';
import { INTRUSIVE_SCRIPTS, STANDARD_SCRIPTS } from '../../../src/scanners/nmap/scripts.ts';

const asked = (fields: { intensity?: Intensity; ports?: string; templates?: string[]; minutes?: number } = {}) => {
  const { minutes = 1_440, intensity = 'standard', ...rest } = fields;
  return { intensity, max_duration_minutes: minutes, ...rest };
};

const address = (text: string, port?: number): PinnedTarget => ({
  target: { kind: 'address', text, address: text, ...(port === undefined ? {} : { port }) },
  addresses: [text],
});

const after = (argv: readonly string[], flag: string): string | undefined => argv[argv.indexOf(flag) + 1];
const refusal = (code: string, text: RegExp) => expect.objectContaining({ code, hint: expect.stringMatching(text) });

describe('argvFor', () => {
  it('writes a standard run exactly like this', () => {
    const [run] = argvFor(asked({ ports: '80, 443', templates: ['http-title'] }), [address('192.0.2.1')]);
    expect(run?.argv.join(' ')).toBe(
      '-n -Pn -sT --unprivileged --noninteractive --max-retries 2 --stats-every 1s --host-timeout 1800s' +
        ' --script-timeout 120s -p 80,443 -sV --script http-title -oX - -- 192.0.2.1',
    );
  });

  it('reads scripts and data files from the folder of the installed nmap, before any of the account', () => {
    const installed = { dataFolder: '/opt/nmap/share/nmap', scripts: new Set(['http-title']) };
    const argvs = argvFor(asked(), [address('192.0.2.1'), address('2001:db8::1')], installed).map(({ argv }) => argv);
    expect(argvs.map((argv) => after(argv, '--datadir'))).toEqual(['/opt/nmap/share/nmap', '/opt/nmap/share/nmap']);
  });

  it('looks at more ports and runs harder scripts the higher the intensity', () => {
    const line = (intensity: Intensity) => argvFor(asked({ intensity }), [address('192.0.2.1')])[0]?.argv ?? [];
    expect(after(line('light'), '--top-ports')).toBe('100');
    expect(line('light')).not.toContain('--script');
    expect(line('light')).not.toContain('-sV');
    expect(after(line('standard'), '--top-ports')).toBe('1000');
    expect(after(line('standard'), '--script')?.split(',')).toEqual(STANDARD_SCRIPTS);
    expect(after(line('intrusive'), '--script')?.split(',')).toEqual([...STANDARD_SCRIPTS, ...INTRUSIVE_SCRIPTS]);
  });

  it('makes one run per port list and address family, with each address once', () => {
    const targets = [address('192.0.2.1', 8080), address('2001:db8::1'), address('192.0.2.2'), address('192.0.2.2')];
    const runs = argvFor(asked({ ports: '22' }), targets);
    expect(
      runs.map(({ argv }) => [argv.includes('-6'), after(argv, '-p'), ...argv.slice(argv.indexOf('--') + 1)]),
    ).toEqual([
      [false, '8080', '192.0.2.1'],
      [true, '22', '2001:db8::1'],
      [false, '22', '192.0.2.2'],
    ]);
  });

  it('splits large networks into runs of at most 256 addresses', () => {
    const addresses = Array.from({ length: 600 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    const target = {
      kind: 'network',
      text: '10.0.0.0/22',
      first: '10.0.0.0',
      last: '10.0.3.255',
      size: 1_024,
    } as const;
    const runs = argvFor(asked(), [{ target, addresses }]);
    expect(runs.map((run) => run.addresses)).toEqual([256, 256, 88]);
    expect(runs.flatMap(({ argv }) => argv.slice(argv.indexOf('--') + 1))).toEqual(addresses);
  });

  it('keeps the time limit of a host within the time limit of the scan', () => {
    const [run] = argvFor(asked({ minutes: 5 }), [address('192.0.2.1')]);
    expect(after(run?.argv ?? [], '--host-timeout')).toBe('240s');
    expect(after(run?.argv ?? [], '--script-timeout')).toBe('120s');
  });

  it.each(['', '0', '65536', '80-', '-80', '90-80', '80;id', '1,,2', 'T:80', '*', '80 443', `${'1,'.repeat(2_000)}1`])(
    'refuses the port list %j',
    (ports) => {
      expect(() => portList(ports)).toThrow(refusal('invalid_request', /22,80/));
    },
  );

  it.each([
    '../evil',
    './x.nse',
    'http-*',
    'vuln',
    'all',
    '+ssl-cert',
    'a or b',
    'http-slowloris',
    'whois-ip',
    'SSL-CERT',
    '',
  ])('refuses the script %j, which it does not run at any intensity', (name) => {
    const run = () => argvFor(asked({ intensity: 'intrusive', templates: [name] }), [address('192.0.2.1')]);
    expect(run).toThrow(refusal('option_unsupported', /./));
  });

  it('names the nearest scripts of an unknown one', () => {
    const run = () => argvFor(asked({ templates: ['ssl-certs'] }), [address('192.0.2.1')]);
    expect(run).toThrow(refusal('option_unsupported', /ssl-/));
  });

  it('runs an intrusive script only at intrusive', () => {
    const run = (intensity: Intensity) =>
      argvFor(asked({ intensity, templates: ['http-enum'] }), [address('192.0.2.1')]);
    expect(() => run('standard')).toThrow(refusal('option_unsupported', /intensity intrusive/));
    expect(after(run('intrusive')[0]?.argv ?? [], '--script')).toBe('http-enum');
  });

  it('leaves out usual scripts this nmap does not have, and refuses one that was asked for', () => {
    const installed = { dataFolder: '/usr/share/nmap', scripts: new Set(['http-title']) };
    const [run] = argvFor(asked(), [address('192.0.2.1')], installed);
    expect(after(run?.argv ?? [], '--script')).toBe('http-title');
    const wanted = () => argvFor(asked({ templates: ['ssl-cert'] }), [address('192.0.2.1')], installed);
    expect(wanted).toThrow(expect.objectContaining({ message: expect.stringContaining('not installed') }));
  });

  it('refuses a URL', () => {
    const url = {
      kind: 'url',
      text: 'http://a.test/',
      scheme: 'http',
      host: 'a.test',
      isAddress: false,
      port: 80,
      path: '/',
    };
    const target = { target: { ...url, kind: 'url', scheme: 'http' } as const, addresses: ['192.0.2.1'] };
    expect(() => argvFor(asked(), [target])).toThrow(refusal('target_unsupported', /host:port/));
  });

  it('hands on nothing but plain addresses, whatever is pinned', () => {
    const odd = fc.oneof(
      fc.constantFrom(
        '0177.0.0.1',
        '127.0.0.08',
        '127.0.0.1-5',
        '127.0.0.*',
        '127.0.0.0/8',
        '-iL',
        'fe80::1%lo',
        'a.test',
      ),
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
    );
    fc.assert(
      fc.property(odd, (text) => {
        try {
          const argv = argvFor(asked(), [address(text)])[0]?.argv ?? [];
          expect(argv.slice(argv.indexOf('--') + 1).join()).toMatch(/^(\d{1,3}(\.\d{1,3}){3}|[\da-f:.]+)$/i);
        } catch (error) {
          expect(error).toMatchObject({ code: 'target_invalid' });
        }
      }),
    );
  });
});

describe('the compiled-in scripts', () => {
  it('are all known to the installed nmap', () => {
    const installed = installedFiles(findNmap() ?? '');
    const missing = [...STANDARD_SCRIPTS, ...INTRUSIVE_SCRIPTS].filter((name) => !installed?.scripts.has(name));
    expect(missing).toEqual([]);
  });
});
