import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nmapXml } from '../scans/nmap-xml.ts';
import { wire } from './wire.ts';

const scope = (...allow: readonly string[]): string => JSON.stringify({ allow });
const LOOPBACK = nmapXml([{ address: '127.0.0.1', ports: [22, 80] }]);
const TWO = nmapXml([
  { address: '10.1.0.1', name: 'a.corp.test', ports: [443] },
  { address: '10.1.0.2', ports: [] },
]);

describe('import_report', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'scanmux-import-')));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const opened = (): Record<string, string> => ({
    'scanmux.yaml': `storage_reserve_mb: 0\nimport_folders: [${JSON.stringify(folder)}]\n`,
  });
  /** What lies in the folder of scans. */
  const left = (data: string): string[] => {
    const scans = join(data, 'scans');
    return existsSync(scans) ? readdirSync(scans) : [];
  };

  it('makes a finished scan of a text, which every other tool takes', async () => {
    const { ok } = await wire();
    const made = await ok('import_report', { content: LOOPBACK, name: 'weekly' });
    expect(made).toMatchObject({
      origin: 'imported',
      state: 'completed',
      verdict: 'complete',
      coverage: { requested: 1, tested: 1 },
      format: 'nmap',
      engine: 'nmap',
      total: 2,
      by_severity: { info: 2 },
      suppressed: 0,
      deduplicated: false,
    });
    expect(made['summary']).toMatch(
      /^The nmap report is imported as scan scan_\w{20}\. The one place the report speaks of was looked at\. What it leaves out is not known\. 2 findings: 2 info\..* Next: get_scan_results\.$/,
    );
    const scan_id = made['scan_id'];
    expect(await ok('get_scan_status', { scan_id })).toMatchObject({
      state: 'completed',
      origin: 'imported',
      scanner_pool: 'imported',
      targets: ['127.0.0.1'],
      name: 'weekly',
      results: { findings: 2 },
    });
    const page = await ok('get_scan_results', { scan_id, port: 80 });
    expect(page).toMatchObject({ total: 1, total_unfiltered: 2 });
    expect(await ok('get_finding', { finding_id: `${String(scan_id)}.1` })).toMatchObject({ engine: 'nmap' });
    for (const filter of [{ target: '127.0.0.0/8' }, { scanner_pool: 'imported' }, { state: 'completed' }]) {
      expect(await ok('list_scans', filter)).toMatchObject({ total: 1, scans: [{ scan_id, origin: 'imported' }] });
    }
    expect(await ok('list_scans', { target: '10.0.0.1' })).toMatchObject({ total: 0 });
    expect(await ok('cancel_scan', { scan_id })).toMatchObject({ effect: 'already_final' });
    expect(await ok('get_queue_status')).toMatchObject({ workers: 0, next: [] });
  });

  it('has the time of its scan, not of the import, so that an old report is not the newest look', async () => {
    const { ok } = await wire();
    const { scan_id } = await ok('import_report', { content: LOOPBACK });
    expect(await ok('get_scan_status', { scan_id })).toMatchObject({
      started_at: '2026-01-02T03:04:05.000Z',
      finished_at: '2026-01-02T03:05:05.000Z',
    });
  });

  it('reads a file of an import folder, and nothing else', async () => {
    const { ok, fails } = await wire(opened());
    writeFileSync(join(folder, 'weekly.xml'), LOOPBACK);
    expect(await ok('import_report', { path: 'weekly.xml' })).toMatchObject({ total: 2 });
    expect(await ok('import_report', { path: join(folder, 'weekly.xml') })).toMatchObject({ deduplicated: true });
    expect(await fails('import_report', { path: '/etc/passwd' })).toMatch(/^forbidden: .*import_folders/);
    expect(await fails('import_report', { path: '../../etc/passwd' })).toMatch(/^forbidden: /);
    expect(await fails('import_report', { path: 'other.xml' })).toMatch(
      /^invalid_request: path: there is no such file/,
    );
  });

  it('says how a folder is opened when none is', async () => {
    const { fails } = await wire();
    expect(await fails('import_report', { path: '/srv/a.xml' })).toMatch(
      /^forbidden: path: no folder is open for imports\. .*import_folders: \[\/path\/to\/reports\] in scanmux\.yaml/,
    );
  });

  it.each([
    ['nothing to import', {}, /^invalid_request: Give exactly one of path, content and source/],
    ['two things', { path: 'a', content: 'b' }, /^invalid_request: Give exactly one/],
    ['a scan at a scanner', { source: 'nessus:a/1' }, /^option_unsupported: source: /],
    ['an unknown format', { content: LOOPBACK, format: 'nmpa' }, /^invalid_request: format: .*auto, nessus, nmap/],
    ['a format it is not', { content: LOOPBACK, format: 'openvas' }, /^report_unreadable: /],
    ['an empty text', { content: '' }, /^report_unreadable: .*is empty/],
    ['some text', { content: 'hello' }, /^report_unreadable: .*some other text.*Known formats: /],
  ])('refuses %s and leaves nothing', async (_, args, message) => {
    const { ok, fails, data } = await wire();
    expect(await fails('import_report', args)).toMatch(message);
    expect(left(data)).toEqual([]);
    expect(await ok('list_scans')).toMatchObject({ total: 0 });
  });

  it('refuses a report over max_raw_report_mb, from a file and as text, and leaves nothing', async () => {
    const { fails, data } = await wire({
      'scanmux.yaml': `${opened()['scanmux.yaml'] ?? ''}max_raw_report_mb: 1\n`,
    });
    const large = LOOPBACK + ' '.repeat(2 ** 20);
    writeFileSync(join(folder, 'large.xml'), large);
    for (const args of [{ path: 'large.xml' }, { content: large }]) {
      expect(await fails('import_report', args)).toMatch(/^invalid_request: .*larger than 1 MB \(max_raw_report_mb\)/);
    }
    expect(left(data)).toEqual([]);
  });

  it('is refused when the disk has no room for it, before anything is written', async () => {
    const { fails, data } = await wire({ 'scanmux.yaml': 'storage_reserve_mb: 1000000000\n' });
    expect(await fails('import_report', { content: LOOPBACK })).toMatch(/^storage_full: Only \d+ MB are free/);
    expect(left(data)).toEqual([]);
  });

  it('refuses a compressed file by name of what it is', async () => {
    const { fails } = await wire(opened());
    writeFileSync(join(folder, 'a.gz'), Buffer.from([0x1f, 0x8b, 8, 0, 0]));
    expect(await fails('import_report', { path: 'a.gz' })).toMatch(/^report_unreadable: .*compressed with gzip/);
  });

  it('refuses a report with any host outside the scope, says which, and leaves nothing', async () => {
    const { ok, fails, data } = await wire({ 'policy.yaml': scope('10.1.0.1') });
    const refusal = await fails('import_report', { content: TWO });
    expect(refusal).toMatch(/^target_denied: 1 of the 2 hosts in the report may not be here\. 10\.1\.0\.2 is outside/);
    expect(refusal).toMatch(/scanmux policy allow 10\.1\.0\.2\. Nothing was imported\. Do not retry\.$/);
    expect(left(data)).toEqual([]);
    expect(await ok('list_scans')).toMatchObject({ total: 0 });
  });

  it('takes a host by address or by name, without asking a DNS server', async () => {
    const byName = nmapXml([{ address: '10.1.0.1', name: 'a.corp.test', ports: [443] }]);
    for (const allowed of ['10.1.0.0/24', 'a.corp.test', '*.corp.test']) {
      const { ok } = await wire({ 'policy.yaml': scope(allowed) });
      expect(await ok('import_report', { content: byName }), allowed).toMatchObject({ total: 1 });
    }
    const { fails } = await wire({ 'policy.yaml': scope('b.corp.test') });
    expect(await fails('import_report', { content: byName })).toMatch(/^target_denied: /);
  });

  it('names twenty of many hosts outside the scope, and counts all', async () => {
    const { client } = await wire({ 'policy.yaml': scope('10.9.0.0/16') });
    const hosts = Array.from({ length: 300 }, (_, n) => ({ address: `10.1.${n >> 8}.${n & 255}`, ports: [80] }));
    const { content } = await client.callTool({ name: 'import_report', arguments: { content: nmapXml(hosts) } });
    const text = JSON.stringify(content);
    expect(text).toContain('300 of the 300 hosts');
    expect(text).toContain('And 297 more (the first 20 are in targets).');
    expect(text.match(/10\.1\.0\.\d+\\"/g)).toHaveLength(20);
  });

  it('gives the scan of the first time when the same bytes come again, whatever they are called', async () => {
    const { ok, data } = await wire();
    const first = await ok('import_report', { content: LOOPBACK });
    const again = await ok('import_report', { content: LOOPBACK, name: 'another', keep_partial: true });
    expect(again).toMatchObject({ scan_id: first['scan_id'], deduplicated: true, total: 2 });
    expect(again['summary']).toMatch(/^The same report was imported at .* no new scan was made\./);
    expect(left(data)).toEqual([first['scan_id']]);
    expect(await ok('list_scans')).toMatchObject({ total: 1 });
  });

  it('makes one scan of the same bytes in two calls at once', async () => {
    const { ok, data } = await wire();
    const made = await Promise.all([1, 2, 3].map(() => ok('import_report', { content: LOOPBACK })));
    expect(new Set(made.map(({ scan_id }) => scan_id)).size).toBe(1);
    expect(made.filter(({ deduplicated }) => deduplicated === false)).toHaveLength(1);
    expect(left(data)).toHaveLength(1);
  });

  it('refuses a report that is cut short, and keeps what is whole of it when asked to', async () => {
    const { ok, fails, data } = await wire({ 'policy.yaml': scope('10.1.0.0/24') });
    const cut = TWO.slice(0, TWO.lastIndexOf('<host>') + 30);
    const refusal = await fails('import_report', { content: cut });
    expect(refusal).toMatch(/^report_unreadable: .*keep_partial: true to keep the 1 finding that could be read/);
    expect(left(data)).toEqual([]);
    const kept = await ok('import_report', { content: cut, keep_partial: true });
    expect(kept).toMatchObject({ verdict: 'partial', total: 1, cut_at: expect.stringMatching(/\d/) });
    expect(kept['summary']).toMatch(/Not all of it could be read/);
    expect(await fails('import_report', { content: cut })).toMatch(/^report_unreadable: /);
    expect(await ok('import_report', { content: cut, keep_partial: true })).toMatchObject({
      scan_id: kept['scan_id'],
      deduplicated: true,
    });
  });

  it('keeps the lines after a bad one, and says how many there are', async () => {
    const { ok, fails } = await wire();
    const line = (id: string): string =>
      JSON.stringify({ 'template-id': id, info: { name: id, severity: 'low' }, type: 'http', host: '127.0.0.1' });
    const content = [line('a'), '{"template-id":', line('b'), line('c')].join('\n');
    const refusal = await fails('import_report', { content });
    expect(refusal).toMatch(
      /a line 2 that is not JSON.* 1 of 4 lines cannot be read; the others were\..*keep the 3 findings that could be read/,
    );
    const kept = await ok('import_report', { content, keep_partial: true });
    expect(kept).toMatchObject({ total: 3, cut_at: expect.stringMatching(/1 of 4 lines cannot be read/) });
    expect(kept['summary']).toMatch(/what could be was kept/);
  });

  it.each([
    ['a Nessus file of version 1', 'nessus', '<?xml version="1.0"?><NessusClientData><Report/></NessusClientData>'],
    ['a Nessus file with another root', 'nessus', '<Report name="x"><ReportHost name="127.0.0.1"/></Report>'],
    ['an nmap report cut in its head', 'nmap', '<nmaprun scanner="nmap"><scaninfo type="syn" protocol="tcp"'],
    ['another XML as nmap', 'nmap', '<html><body/></html>'],
    ['another XML as OpenVAS', 'openvas', '<html><body/></html>'],
    ['another XML as ZAP', 'zap', '<html><body/></html>'],
    ['a Nuclei line that is cut', 'nuclei', '{"template-id":"x","info":{'],
    ['another list as Nuclei', 'nuclei', '[{"a":1}]'],
    ['another JSON as Trivy', 'trivy', '{"a":1}'],
    ['another JSON as Grype', 'grype', '{"a":1}'],
    ['another JSON as SARIF', 'sarif', '{"version":"2.1.0"}'],
    ['SARIF that is cut', 'sarif', '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":['],
    ['another JSON as ZAP', 'zap', '{"@version":"2.15.0"}'],
    ['another JSON as scanmux findings', 'jsonl', '{"a":1}'],
    ['a header alone of the built-in scanner', 'baseline', '{"a":1}'],
  ])('makes no empty scan of %s, whatever is asked for', async (_, format, content) => {
    const { ok, fails, data } = await wire();
    for (const keep_partial of [false, true]) {
      const refusal = await fails('import_report', { content, format, keep_partial });
      expect(refusal).toMatch(/^report_unreadable: /);
      expect(refusal).not.toMatch(/with keep_partial/);
      expect(left(data)).toEqual([]);
    }
    expect(await ok('list_scans')).toMatchObject({ total: 0 });
  });

  it('keeps the report as it came, beside its findings', async () => {
    const { ok, data } = await wire();
    const { scan_id } = await ok('import_report', { content: LOOPBACK });
    const files = join(data, 'scans', String(scan_id), '1');
    expect(readFileSync(join(files, 'report.raw'), 'utf8')).toBe(LOOPBACK);
    expect(readdirSync(files).toSorted()).toEqual([expect.stringMatching(/^findings-/), 'report.raw']);
  });

  it('writes every import down, refused ones too', async () => {
    const { app, ok, fails } = await wire();
    const { scan_id } = await ok('import_report', { content: LOOPBACK });
    await ok('import_report', { content: LOOPBACK });
    await fails('import_report', { content: TWO });
    await fails('import_report', { path: '/etc/passwd' });
    await fails('import_report', { wrong: 1 });
    const entries = (await app.audit.tail(10)).map(({ action, decision, scanId }) => [action, decision, scanId]);
    expect(entries).toEqual([
      ['import', 'allowed', scan_id],
      ['import', 'deduplicated', scan_id],
      ['import', 'target_denied', undefined],
      ['import', 'forbidden', undefined],
      ['refuse', 'invalid_request', undefined],
    ]);
  });
});

describe('a report about files and packages', () => {
  const trivy = (target: string, vulnerabilities: readonly unknown[]): string =>
    JSON.stringify({
      SchemaVersion: 2,
      ArtifactName: '.',
      ArtifactType: 'filesystem',
      Results: [{ Target: target, Class: 'lang-pkgs', Type: 'gomod', Vulnerabilities: vulnerabilities }],
    });
  const VULNERABILITY = {
    VulnerabilityID: 'CVE-2024-0001',
    PkgName: 'example.com/a',
    InstalledVersion: '1.0.0',
    Severity: 'HIGH',
    Title: 't',
  };

  it.each([
    ['with findings', [VULNERABILITY], 1],
    ['without any', [], 0],
  ])('names no host, though a file is called like one: %s', async (_, vulnerabilities, total) => {
    const { ok } = await wire();
    const made = await ok('import_report', { content: trivy('go.mod', vulnerabilities) });
    expect(made).toMatchObject({ format: 'trivy', engine: 'trivy', total });
    const { scan_id } = made;
    expect(await ok('get_scan_status', { scan_id })).toMatchObject({ origin: 'imported' });
    expect(await ok('list_scans', { target: '127.0.0.1' })).toMatchObject({ total: 0 });
  });

  it('that names a URL is about its host all the same', async () => {
    const { fails } = await wire();
    const result = {
      ruleId: 'r',
      message: { text: 'm' },
      locations: [{ physicalLocation: { artifactLocation: { uri: 'https://shop.test/a' } } }],
    };
    const sarif = { version: '2.1.0', runs: [{ tool: { driver: { name: 'web', rules: [] } }, results: [result] }] };
    expect(await fails('import_report', { content: JSON.stringify(sarif) })).toMatch(/^target_denied: .*shop\.test/);
  });
});
