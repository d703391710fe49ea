import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nmapXml } from '../scans/nmap-xml.ts';
import { createPlace, runCommand, startCommand, untilEnded, type Place } from './command-process.ts';

const Made = z.object({ scan_id: z.string(), deduplicated: z.boolean(), total: z.number() });
const Listed = z.array(z.looseObject({ what: z.string(), status: z.string(), expired: z.boolean() }));

describe('reports on the command line', () => {
  let place: Place;
  let file: string;
  let scanId: string;
  beforeAll(() => {
    place = createPlace();
    mkdirSync(place.config, { recursive: true });
    file = join(place.folder, 'weekly.xml');
    writeFileSync(file, nmapXml([{ address: '127.0.0.1', ports: [22, 80, 443] }]));
  });
  afterAll(() => place.clean());

  const json = async (...argv: readonly string[]): Promise<unknown> =>
    JSON.parse((await runCommand(place, [...argv, '--json'])).stdout);
  const suppressions = async (...argv: readonly string[]) => Listed.parse(await json('suppressions', ...argv));

  it('are imported from anywhere the person can read, also by a relative path', async () => {
    const { code, stdout } = await runCommand(place, ['import', 'weekly.xml'], { cwd: place.folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Scan scan_\w{20}: nmap report\nFindings: +3 \(3 info\)\nVerdict: +complete/);
    const again = Made.parse(await json('import', file));
    expect(again).toMatchObject({ deduplicated: true, total: 3 });
    scanId = again.scan_id;
    expect((await runCommand(place, ['results', scanId])).stdout).toMatch(/^Findings: +3$/m);
    expect((await runCommand(place, ['list'])).stdout).toContain(scanId);
  });

  it('must be about hosts in the scope all the same, and what to do is said', async () => {
    writeFileSync(join(place.folder, 'far.xml'), nmapXml([{ address: '10.1.0.1', ports: [80] }]));
    const { code, stderr } = await runCommand(place, ['import', join(place.folder, 'far.xml')]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^target_denied: 1 of the 1 host /);
    expect(stderr).toMatch(/To allow it: scanmux policy allow 10\.1\.0\.1\./);
    expect((await runCommand(place, ['import', join(place.folder, 'none.xml')])).code).toBe(2);
  });

  it('that are cut short are refused with the option that keeps what is whole', async () => {
    const whole = nmapXml([
      { address: '127.0.0.1', ports: [22] },
      { address: '127.0.0.2', ports: [22] },
    ]);
    const cut = join(place.folder, 'cut.xml');
    writeFileSync(cut, whole.slice(0, whole.lastIndexOf('<host>') + 20));
    const refused = await runCommand(place, ['import', cut]);
    expect([refused.code, refused.stderr]).toEqual([6, expect.stringMatching(/report_unreadable: [^]*--keep-partial/)]);
    const kept = await runCommand(place, ['import', cut, '--keep-partial']);
    expect([kept.code, kept.stdout]).toEqual([6, expect.stringMatching(/^Cut short: +\S[^]*Verdict: +PARTIAL/m)]);
  });

  it('have findings that can be suppressed, listed and counted again', async () => {
    const suppress = ['suppress', `${scanId}.1`, '--reason', 'wanted', '--status', 'accepted_risk'];
    const done = await runCommand(place, [...suppress, '--expires', '2027-12-31']);
    expect([done.code, done.stdout]).toEqual([
      0,
      `Finding ${scanId}.1 is suppressed (accepted_risk) until 2027-12-31T23:59:59.000Z.\n`,
    ]);
    expect((await runCommand(place, ['results', scanId])).stdout).toMatch(/^Findings: +2$/m);
    const [one] = await suppressions();
    expect(one).toMatchObject({ status: 'accepted_risk', who: 'cli', reason: 'wanted', expired: false });
    expect((await runCommand(place, ['suppressions'])).stdout).toMatch(/^WHAT +STATUS/);
    expect((await runCommand(place, ['unsuppress', one?.what ?? ''])).code).toBe(0);
    expect(await suppressions()).toEqual([]);
    expect((await runCommand(place, ['suppressions'])).stdout).toBe('Nothing is suppressed.\n');
  });

  it('can have a whole rule suppressed, which is taken back by its finding or by its name', async () => {
    const wide = ['suppress', `${scanId}.1`, '--reason', 'wanted', '--everywhere'];
    for (const what of [[`${scanId}.1`, '--everywhere'], ['nmap/nmap:port-open']]) {
      expect((await runCommand(place, wide)).stdout).toMatch(/^Every finding of rule nmap:port-open is suppressed/);
      expect((await suppressions()).map((entry) => entry.what)).toEqual(['nmap/nmap:port-open']);
      expect((await runCommand(place, ['results', scanId])).stdout).toMatch(/^Findings: +0$/m);
      expect((await runCommand(place, ['unsuppress', ...what])).code).toBe(0);
      expect(await suppressions()).toEqual([]);
    }
  });

  it.each([
    [['suppress', 'scan_00000000000000000000.1', '--reason', 'why'], 4, /^finding_not_found: /],
    [['suppress', 'x', '--reason', 'why', '--expires', 'soon'], 2, /^invalid_request: --expires: /],
    [['unsuppress', 'nothing'], 2, /^invalid_request: nothing is no finding id, fingerprint or engine\/rule/],
    [['unsuppress', 'f'.repeat(32)], 4, /^finding_not_found: Nothing is suppressed by that\.\n`scanmux suppressions`/],
  ])('say what is wrong: %j', async (argv, code, message) => {
    const ended = await runCommand(place, argv);
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringMatching(message)]);
  });

  it('leave neither a scan nor a file when their import is killed, once the next worker has swept', async () => {
    const own = createPlace();
    // So many that it cannot be done before it is killed, however busy the machine is.
    const address = (n: number): string => `127.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
    const hosts = Array.from({ length: 100_000 }, (_, n) => ({ address: address(n), ports: [80] }));
    writeFileSync(join(own.folder, 'large.xml'), nmapXml(hosts));
    const child = startCommand(own, ['import', join(own.folder, 'large.xml')]);
    const ended = untilEnded(child);
    const scans = join(own.data, 'scans');
    const hasBegun = (): boolean => existsSync(scans) && readdirSync(scans).some((name) => name.endsWith('.claim'));
    await expect.poll(hasBegun, { interval: 10 }).toBe(true);
    child.kill('SIGKILL');
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    const scanFiles = (): string[] => readdirSync(scans).filter((name) => name.startsWith('scan_'));
    expect(scanFiles().length).toBeGreaterThan(0);
    expect((await runCommand(own, ['list'])).stdout).toBe('No scans.\n');
    await runCommand(own, ['worker']);
    expect(scanFiles()).toEqual([]);
    await own.clean();
  });
});
