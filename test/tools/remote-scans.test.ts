import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import type { RemoteReports } from '../../src/scanners/scanner.ts';
import { nmapXml } from '../scans/nmap-xml.ts';
import { loginEngine, remoteReports } from './login-engine.ts';
import { wire } from './wire.ts';

const SCANNERS = `
nessus:
  - { instance_id: main, name: Main }
  - { instance_id: off, name: Off, enabled: false }
`;

const scan = (remoteId: string, more: object = {}) => ({
  remoteId,
  name: `Scan ${remoteId}`,
  folder: 'For agents',
  status: 'completed',
  modifiedAt: Date.UTC(2026, 0, Number(remoteId)),
  ...more,
});

const wired = async (remote: RemoteReports, scanners = SCANNERS) =>
  wire(
    { 'scanners.yaml': scanners },
    { engines: { nessus: loginEngine(remote).type, other: loginEngine(remote).type } },
  );

describe('scans that an operator launched at a scanner', () => {
  it('are listed newest first, with what import_report wants', async () => {
    const { remote } = remoteReports([scan('3'), scan('12', { name: 'Büro\u202e\u001b[31m' }), scan('7')]);
    const { ok } = await wired(remote);
    const { remote_scans: listed, summary } = await ok('list_scanners', { remote_scans: true });
    expect(listed).toEqual([
      {
        pool: 'nessus',
        instance_id: 'main',
        total: 3,
        scans: [
          {
            source: 'nessus:main/12',
            name: 'Büro\\u{202e}\\u{1b}[31m',
            folder: 'For agents',
            status: 'completed',
            modified_at: '2026-01-12T00:00:00.000Z',
          },
          expect.objectContaining({ source: 'nessus:main/7' }),
          expect.objectContaining({ source: 'nessus:main/3' }),
        ],
      },
    ]);
    expect(summary).toContain('3 scans at the scanners themselves');
    expect(await ok('list_scanners')).not.toHaveProperty('remote_scans');
  });

  it('are shown up to a bound, and counted', async () => {
    const { remote } = remoteReports(Array.from({ length: 400 }, (_, index) => scan(String(index + 1))));
    const { ok } = await wired(remote);
    const { remote_scans: listed } = await ok('list_scanners', { remote_scans: true });
    expect(listed).toMatchObject([{ total: 400, scans: { length: 50, 0: { source: 'nessus:main/400' } } }]);
  });

  it('of an instance that does not answer are an error in its place, and no more', async () => {
    const away: RemoteReports = {
      list: () => Promise.reject(new AppError('scanner_unreachable', 'Connection refused.')),
      fetch: () => Promise.reject(new TypeError('a defect')),
    };
    const { ok } = await wired(away);
    expect(await ok('list_scanners', { remote_scans: true })).toMatchObject({
      remote_scans: [{ scans: [], total: 0, error: 'scanner_unreachable: Connection refused.' }],
    });
  });

  it('of an instance whose folders are not all there are listed, with the reason why some are missing', async () => {
    const trouble = new AppError('config_invalid', 'remote_folders names "Opne".', { hint: 'Operator: correct it.' });
    const listing: RemoteReports = {
      list: async () => ({ scans: [scan('1'), scan('2', { status: 'empty', hasReport: false })], trouble }),
      fetch: () => Promise.reject(trouble),
    };
    const { ok, fails } = await wired(listing);
    const { remote_scans: listed, summary } = await ok('list_scanners', { remote_scans: true });
    expect(listed).toMatchObject([
      { total: 2, error: 'config_invalid: remote_folders names "Opne". Operator: correct it.' },
    ]);
    expect(summary).toContain('1 scans at the scanners themselves can be imported; 1 more were never run');
    expect(summary).toContain('error says why for nessus/main');
    expect(await fails('import_report', { source: 'nessus:main/9' })).toMatch(/^config_invalid: .*Opne/);
  });

  it('are imported like a report from a file, once', async () => {
    const { remote, fetched } = remoteReports([
      scan('5', { report: nmapXml([{ address: '127.0.0.1', ports: [80] }]) }),
    ]);
    const { ok, app } = await wired(remote);
    const made = await ok('import_report', { source: 'nessus:main/5' });
    expect(made).toMatchObject({ origin: 'imported', state: 'completed', format: 'nmap', deduplicated: false });
    expect(await ok('import_report', { source: 'nessus:main/5' })).toMatchObject({
      scan_id: made['scan_id'],
      deduplicated: true,
    });
    expect(fetched).toEqual(['5', '5']);
    const entries = await app.audit.tail(10);
    expect(entries).toContainEqual(
      expect.objectContaining({ action: 'import', detail: expect.objectContaining({ source: 'nessus:main/5' }) }),
    );
  });

  it('that were not whole are never complete', async () => {
    const { remote } = remoteReports([
      scan('5', { report: nmapXml([{ address: '127.0.0.1', ports: [80] }]), whole: false }),
    ]);
    const { ok } = await wired(remote);
    expect(await ok('import_report', { source: 'nessus:main/5' })).toMatchObject({
      verdict: 'partial',
      coverage: { not_looked_for: expect.arrayContaining(['aborted at the scanner']) },
    });
  });

  it('must lie in the scope like any report', async () => {
    const { remote } = remoteReports([scan('5', { report: nmapXml([{ address: '10.0.0.1', ports: [80] }]) })]);
    const { fails, ok } = await wired(remote);
    expect(await fails('import_report', { source: 'nessus:main/5' })).toMatch(/^target_denied/);
    expect(await ok('list_scans')).toMatchObject({ total: 0 });
  });

  it.each([
    ['nessus:main/99', /^scan_not_found: .*remote_scans: true shows/],
    ['nessus:main/6', /^scan_not_finished: .*Import it once it has ended/],
    ['nessus:off/5', /^instance_unknown: .*Instances: nessus:main\./],
    ['nessus:main', /^invalid_request: source: must look like nessus:<instance>\/<id>/],
    ['nessus:main/../5', /^invalid_request/],
    ['nessus:main/5?x=1', /^invalid_request/],
  ])('%s is refused', async (source, words) => {
    const { remote, fetched } = remoteReports([scan('5', { report: 'x' }), scan('6')]);
    const { fails } = await wired(remote);
    expect(await fails('import_report', { source })).toMatch(words);
    if (!/\/(99|6)$/.test(source)) expect(fetched).toEqual([]);
  });

  it('are found by their pool, or by the engine where that leaves no doubt', async () => {
    const { remote } = remoteReports([scan('5', { report: nmapXml([{ address: '127.0.0.1', ports: [80] }]) })]);
    const pools = `nessus_dmz:\n  - { instance_id: a, name: A }\n  - { instance_id: b, name: B }\nnessus_lan:\n  - { instance_id: b, name: B }\n`;
    const { ok, fails } = await wired(remote, pools);
    expect(await ok('import_report', { source: 'nessus:a/5' })).toMatchObject({ deduplicated: false });
    expect(await ok('import_report', { source: 'nessus_lan:b/5' })).toMatchObject({ deduplicated: true });
    expect(await fails('import_report', { source: 'nessus:b/5' })).toMatch(/several instances are nessus:b/);
  });

  it('do not exist where no engine has any', async () => {
    const { fails } = await wire();
    expect(await fails('import_report', { source: 'nessus:main/5' })).toMatch(
      /^option_unsupported: source: no configured/,
    );
  });

  it('that are larger than a report may be are refused, and the scanner is told to stop', async () => {
    let told: unknown;
    const endless: RemoteReports = {
      list: async () => ({ scans: [] }),
      async fetch(_id, report, signal) {
        const chunk = Buffer.alloc(1 << 20, 'x');
        signal.addEventListener('abort', () => (told = signal.reason));
        while (!signal.aborted) await new Promise((resolve) => report.write(chunk, resolve));
        throw signal.reason;
      },
    };
    const { fails } = await wire(
      { 'scanners.yaml': SCANNERS, 'scanmux.yaml': 'storage_reserve_mb: 0\nmax_raw_report_mb: 1\n' },
      { engines: { nessus: loginEngine(endless).type } },
    );
    expect(await fails('import_report', { source: 'nessus:main/5' })).toMatch(
      /^invalid_request: The report is larger than 1 MB/,
    );
    expect(told).toBeDefined();
  });
});
