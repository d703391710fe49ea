import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/platform/sqlite.ts';
import { connect, createInstallation, finished, type Connection } from './stdio-client.ts';

/** What people run; the others use the test server, which has the scripted engine. */
const REAL = { program: 'dist/cli/main.js' };
const REAL_SCANNERS = { 'scanners.yaml': 'baseline:\n  - { instance_id: local, name: Baseline }\n' };

const NOBODY = 'scan_00000000000000000000';

type Run = Readonly<Record<string, unknown>>;
const scripted = (more: Run = {}): Record<string, unknown> => ({
  targets: ['127.0.0.1'],
  scanner_pool: 'scripted',
  ...more,
});

/** An error as an agent should get it: in our words, with a next step, and without a look inside the program. */
function expectReadable({ text, hint }: { text: string; hint: string }): void {
  expect(text).not.toMatch(/\n {4}at |node_modules|dist\/|\.ts:|\.js:|errcode|undefined|\[object/);
  expect(hint).toMatch(/^\S.{15,}[.?]$/);
  expect(text.length).toBeLessThan(3_000);
}

async function expectError(mcp: Connection, name: string, args: Record<string, unknown>, code: string) {
  const error = await mcp.fails(name, args);
  expect(`${JSON.stringify(args)} ${error.text}`).toContain(`${JSON.stringify(args)} ${code}: `);
  expectReadable(error);
  return error;
}

const refusedRun = (mcp: Connection, args: Run, code: string) =>
  expectError(mcp, 'run_untrusted_scan', scripted(args), code);

describe('a refused run', () => {
  it('names the pools and instances there are', async () => {
    const mcp = await connect(createInstallation());
    const pool = await refusedRun(mcp, { scanner_pool: 'nessus' }, 'pool_unknown');
    expect(pool.text).toMatch(/no pool "nessus"\. Pools: scripted, baseline\./);
    const instance = await refusedRun(mcp, { scanner_instance: 'second' }, 'instance_unknown');
    expect(instance.text).toMatch(/no instance "second" in pool scripted\. Instances: only\./);
    for (const tool of ['list_scanners', 'get_queue_status'])
      await expectError(mcp, tool, { scanner_pool: 'nessus' }, 'pool_unknown');
  });

  it('says which kinds of target and options the engine takes instead', async () => {
    const scanners = 'nmap:\n  - { instance_id: local, name: Nmap }\nbaseline:\n  - { instance_id: local, name: B }\n';
    const mcp = await connect(createInstallation({ 'scanners.yaml': scanners }), REAL);
    const url = { scanner_pool: 'nmap', targets: ['http://127.0.0.1/'] };
    expect((await refusedRun(mcp, url, 'target_unsupported')).text).toMatch(/takes host, network; not http:/);
    const templates = { scanner_pool: 'baseline', templates: ['x'] };
    expect((await refusedRun(mcp, templates, 'option_unsupported')).text).toMatch(/options: /);
  });

  it('says why no scanner can take it, where waiting would not help', async () => {
    const scanners = [
      'baseline:\n  - { instance_id: off, name: Off, enabled: false }',
      'nmap:\n  - { instance_id: gone, name: Gone, binary: /nowhere/nmap }\n',
    ].join('\n');
    const mcp = await connect(createInstallation({ 'scanners.yaml': scanners }), REAL);
    const disabled = await refusedRun(mcp, { scanner_pool: 'baseline' }, 'no_scanner_available');
    expect(disabled.text).toMatch(/Pool baseline has no enabled instance\./);
    const missing = await refusedRun(mcp, { scanner_pool: 'nmap' }, 'no_scanner_available');
    expect(missing.text).toMatch(/no nmap at \/nowhere\/nmap.*apt-get install nmap/);
  });

  it('names an argument that would be changed or lost on the way', async () => {
    const mcp = await connect(createInstallation());
    const key = await refusedRun(mcp, { idempotency_key: 'abcdefgh\0X' }, 'invalid_request');
    expect(key.text).toMatch(/^invalid_request: idempotency_key holds a NUL character\./);
    const half = await refusedRun(mcp, { templates: ['findings:1\ud800'] }, 'invalid_request');
    expect(half.text).toMatch(/^invalid_request: templates holds half of a surrogate pair\./);
    const proto: Run = JSON.parse('{"__proto__": {"scanner_pool": "x"}}');
    for (const tool of ['run_untrusted_scan', 'list_scans'])
      expect((await mcp.fails(tool, { ...proto })).text).toMatch(/Unknown argument "__proto__"\./);
    expect(await mcp.ok('list_scans')).toMatchObject({ total: 0 });
  });

  it('keeps an idempotency key for the request it was first used with', async () => {
    const mcp = await connect(createInstallation());
    const key = { idempotency_key: 'the-same-key' };
    await mcp.ok('run_untrusted_scan', scripted(key));
    await refusedRun(mcp, { ...key, targets: ['127.0.0.2'] }, 'idempotency_conflict');
    await expectError(mcp, 'plan_scan', scripted({ ...key, targets: ['127.0.0.2'] }), 'idempotency_conflict');
  });
});

describe('a target', () => {
  it('that two tools would read differently is invalid, and the answer says how to write it', async () => {
    const mcp = await connect(createInstallation());
    const spellings: readonly (readonly [string, RegExp])[] = [
      ['-oN/tmp/x', /starts with a dash/],
      ['127.0.0.1,127.0.0.2', /holds a comma.*Write one target per list item/],
      ['127.0.0.1\n10.0.0.1', /holds a control/],
      ['127.0.0.1\u0000', /holds a control/],
      ['127.0.0.1 ', /holds white space.*Write 127\.0\.0\.1 instead/],
      ['127.0.0.1\u200b', /invisible character/],
      ['0177.0.0.1', /unusual spelling of an address/],
      ['0x7f.0.0.1', /unusual spelling/],
      ['2130706433', /unusual spelling/],
      ['127.1', /unusual spelling/],
      ['１２７.0.0.1', /full-width/],
      ['127.0.0.1.', /./],
      ['fe80::1%eth0', /holds a zone/],
      ['http://user:hunter2@127.0.0.1/', /user info|user name|password/],
      ['ftp://127.0.0.1/', /./],
      ['127.0.0.1/33', /prefix length/],
      ['10.0.0.0/255.0.0.0', /Write the prefix length/],
      ['10.0.0.1-5', /Write 10\.0\.0\.1-10\.0\.0\.5 instead/],
      ['10.0.0.9-10.0.0.1', /ends before it starts/],
      ['127.0.0.1:99999', /./],
      ['$(id)', /./],
    ];
    for (const [target, reason] of spellings) {
      const error = await refusedRun(mcp, { targets: [target] }, 'target_invalid');
      expect(error.text).toMatch(reason);
      expect(error.text).not.toContain('hunter2');
      expect(error.text.split('\n')).toHaveLength(2);
    }
    await expectError(mcp, 'plan_scan', scripted({ targets: ['-v'] }), 'target_invalid');
    await expectError(mcp, 'list_scans', { target: '127.0.0.1,' }, 'target_invalid');
  });

  it('outside the scope is denied in any spelling, with who can change it', async () => {
    const mcp = await connect(createInstallation());
    const outside = await refusedRun(mcp, { targets: ['10.1.0.0/24'] }, 'target_denied');
    expect(outside.text.split('\n')[0]).toBe(
      'target_denied: 10.1.0.0/24 is outside the scope (default deny). Operator: scanmux policy allow 10.1.0.0/24. Do not retry.',
    );
    for (const target of ['10.0.0.0/8', '::ffff:10.0.0.1', 'http://10.0.0.1:8080/x', '0.0.0.0', '::', '224.0.0.1'])
      await refusedRun(mcp, { targets: [target] }, 'target_denied');
    const mixed = await mcp.fails('run_untrusted_scan', scripted({ targets: ['127.0.0.1', '10.0.0.1'] }));
    expect(mixed.text).toMatch(/^target_denied: 10\.0\.0\.1 .*"targets":\["10\.0\.0\.1"\]/s);
    const large = await refusedRun(mcp, { targets: ['127.0.0.1', '10.1.0.0/24'] }, 'target_denied');
    expect(large.text).toMatch(/max_hosts.*10\.1\.0\.0\/24 is outside the scope.*scanmux policy allow 10\.1\.0\.0\/24/);
  });

  it('that is a metadata service is denied in any spelling, even where everything is allowed', async () => {
    const policy = 'allow:\n  - 0.0.0.0/0\n  - ::/0\nmax_hosts: 100000000\n';
    const mcp = await connect(createInstallation({ 'policy.yaml': policy }));
    const spellings = [
      '169.254.169.254',
      '::ffff:169.254.169.254',
      '::ffff:a9fe:a9fe',
      '64:ff9b::169.254.169.254',
      'http://169.254.169.254/latest/meta-data/',
      'http://[::ffff:a9fe:a9fe]/',
      '169.254.169.254:80',
      'metadata.google.internal',
      '169.254.169.0/24',
      'fd00:ec2::254',
    ];
    for (const target of spellings) await refusedRun(mcp, { targets: [target] }, 'target_denied');
  });

  it('that may only be scanned more gently says how gently', async () => {
    const mcp = await connect(createInstallation());
    const error = await refusedRun(mcp, { intensity: 'intrusive' }, 'target_denied');
    expect(error.hint).toMatch(/^Ask for intensity standard, or operator: .*scanmux policy allow/);
  });

  it('that is larger than the scope lets one run be is denied, with the limit', async () => {
    const mcp = await connect(createInstallation({ 'policy.yaml': 'allow: [127.0.0.0/8]\nmax_hosts: 4\n' }));
    const error = await refusedRun(mcp, { targets: ['127.0.0.0/24'] }, 'target_denied');
    expect(error.text).toMatch(/max_hosts/);
    expect(error.hint).toMatch(/Do not retry\.$/);
  });

  it('without an address is unresolvable, which may pass', async () => {
    const mcp = await connect(createInstallation({ 'policy.yaml': 'allow: [nothing-here.invalid]\n' }));
    const error = await refusedRun(mcp, { targets: ['nothing-here.invalid'] }, 'target_unresolvable');
    expect(error.text).toMatch(/"retryable":true/);
  });
});

describe('an id or a cursor', () => {
  it('that is unknown or malformed gets the same words, whatever is asked', async () => {
    const mcp = await connect(createInstallation());
    for (const tool of ['get_scan_status', 'wait_for_scan', 'cancel_scan', 'get_scan_results']) {
      const texts = new Set<string>();
      for (const id of [NOBODY, 'nonsense', '../../etc/passwd', "' OR 1=1 --", 'ｓcan_0', 'scan_', `${NOBODY}.1`])
        texts.add((await expectError(mcp, tool, { scan_id: id }, 'scan_not_found')).text);
      expect(texts.size).toBe(1);
    }
    const texts = new Set<string>();
    for (const id of [`${NOBODY}.1`, NOBODY, 'nonsense', `${NOBODY}.0`, `${NOBODY}.1e9`])
      texts.add((await expectError(mcp, 'get_finding', { finding_id: id }, 'finding_not_found')).text);
    expect(texts.size).toBe(1);
  });

  it('of results that are not there yet says so, and of a page that is not of this query too', async () => {
    const mcp = await connect(createInstallation());
    const running = await mcp.ok('run_untrusted_scan', scripted({ templates: ['duration:60000'] }));
    await expectError(mcp, 'get_scan_results', { scan_id: running['scan_id'] }, 'scan_not_finished');
    const id = String(running['scan_id']);
    await expectError(mcp, 'get_finding', { finding_id: `${id}.1` }, 'finding_not_found');
    await mcp.ok('cancel_scan', { scan_id: id });

    const { scan_id: scanId } = await mcp.ok('run_untrusted_scan', scripted({ templates: ['findings:60'] }));
    await finished(mcp, scanId);
    const page = await mcp.ok('get_scan_results', { scan_id: scanId, max_tokens: 500 });
    const results = (args: Run) => expectError(mcp, 'get_scan_results', { scan_id: scanId, ...args }, 'cursor_invalid');
    await results({ cursor: page['next_cursor'], min_severity: 'high' });
    await results({ cursor: `${String(page['next_cursor'])}x` });
    await results({ cursor: 'AAAA' });
    await expectError(mcp, 'get_finding', { finding_id: `${String(scanId)}.61` }, 'finding_not_found');
    await expectError(mcp, 'get_scan_results', { scan_id: scanId, fields: ['titel'] }, 'invalid_request');

    const list = await mcp.ok('list_scans', { limit: 1 });
    await expectError(mcp, 'list_scans', { cursor: list['next_cursor'], state: 'failed' }, 'cursor_invalid');
    await expectError(mcp, 'list_scans', { cursor: 'nonsense' }, 'cursor_invalid');
  });
});

describe('a configuration', () => {
  it('that is broken is named with its file and key, at every call until it is mended', async () => {
    const installation = createInstallation({ ...REAL_SCANNERS, 'scanmux.yaml': 'default_pool: 7\nworkers: 3\n' });
    const mcp = await connect(installation, REAL);
    const error = await expectError(mcp, 'list_scans', {}, 'config_invalid');
    expect(error.text).toMatch(/scanmux\.yaml:1: default_pool.*scanmux\.yaml:2: workers.*worker/s);
    writeFileSync(join(installation.config, 'scanmux.yaml'), 'storage_reserve_mb: 0\n');
    expect(await mcp.ok('list_scans')).toMatchObject({ total: 0 });
  });

  it('of the scanners that is broken at the start is told to whoever asks for a scan', async () => {
    const installation = createInstallation({ 'scanners.yaml': 'scripted: [\n' });
    const mcp = await connect(installation);
    await refusedRun(mcp, {}, 'config_invalid');
    expect(await mcp.ok('list_scanners')).toMatchObject({
      pools: [],
      config: { last_error: expect.stringContaining('scanners.yaml') },
    });
  });

  it('of the scope that is broken allows nothing and says so', async () => {
    const mcp = await connect(createInstallation({ 'policy.yaml': 'allow: 127.0.0.1: yes\n' }));
    const error = await refusedRun(mcp, {}, 'target_denied');
    expect(error.text).toMatch(/policy/);
    expect(error.hint).toMatch(/^Operator: /);
  });

  it('in the working directory is not read', async () => {
    const repository = mkdtempSync(join(tmpdir(), 'scanmux-hostile-'));
    onTestFinished(() => rmSync(repository, { recursive: true, force: true }));
    for (const folder of [repository, join(repository, 'config'), join(repository, '.scanmux')]) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'policy.yaml'), 'allow: [0.0.0.0/0, 127.0.0.1]\n');
      writeFileSync(join(folder, 'scanners.yaml'), 'hostile:\n  - { instance_id: x, name: X, type: baseline }\n');
      writeFileSync(join(folder, 'scanmux.yaml'), 'default_pool: hostile\n');
    }
    const mcp = await connect(createInstallation(REAL_SCANNERS), { ...REAL, cwd: repository });
    await expectError(mcp, 'run_untrusted_scan', { targets: ['10.0.0.1'] }, 'target_denied');
    expect(JSON.stringify(await mcp.ok('list_scanners'))).not.toContain('hostile');
  });
});

describe('the data folder', () => {
  it('that cannot be made is named, with what to do', async () => {
    const installation = createInstallation();
    const file = join(installation.data, 'file');
    writeFileSync(file, '');
    const mcp = await connect({ ...installation, data: join(file, 'below') }, REAL);
    const error = await expectError(mcp, 'list_scans', {}, 'storage_unusable');
    expect(error.hint).toMatch(/--data or SCANMUX_DATA_DIR/);
  });

  it('with a damaged database is named and left as it is', async () => {
    const installation = createInstallation();
    const path = join(installation.data, 'queue.db');
    const junk = 'this is no database. '.repeat(500);
    writeFileSync(path, junk);
    const mcp = await connect(installation, REAL);
    const error = await expectError(mcp, 'list_scans', {}, 'storage_unusable');
    expect(error.text).toContain('queue.db');
    expect(readFileSync(path, 'utf8')).toBe(junk);
  });

  it('that a newer scanmux has written is not touched', async () => {
    const installation = createInstallation();
    await (await connect(installation, REAL)).close();
    const path = join(installation.data, 'queue.db');
    const db = openDatabase(path);
    db.exec('PRAGMA user_version = 999');
    db.close();
    const before = readFileSync(path);
    const mcp = await connect(installation, REAL);
    const error = await expectError(mcp, 'list_scans', {}, 'data_too_new');
    expect(error.text).toMatch(/999.*Upgrade this one; nothing was touched/s);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('with too little space takes no new scans, and still answers', async () => {
    const settings = { ...REAL_SCANNERS, 'scanmux.yaml': 'storage_reserve_mb: 1000000000\n' };
    const mcp = await connect(createInstallation(settings), REAL);
    const error = await expectError(mcp, 'run_untrusted_scan', { targets: ['127.0.0.1'] }, 'storage_full');
    expect(error.text).toMatch(/"retryable":true/);
    expect(await mcp.ok('list_scans')).toMatchObject({ total: 0 });
  });

  it('that another process holds locked is unavailable after a while, and works again afterwards', async () => {
    const installation = createInstallation();
    const mcp = await connect(installation);
    await mcp.ok('list_scans');
    const other = openDatabase(join(installation.data, 'queue.db'));
    other.exec('BEGIN IMMEDIATE');
    const error = await refusedRun(mcp, {}, 'queue_unavailable');
    expect(error.text).toMatch(/"retryable":true/);
    other.exec('ROLLBACK');
    other.close();
    expect(await mcp.ok('run_untrusted_scan', scripted())).toMatchObject({ deduplicated: false });
  });
});
