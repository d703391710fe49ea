import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loginEngine } from './login-engine.ts';
import { wire } from './wire.ts';

const SCANNERS = `
nessus:
  - { instance_id: main, name: Main }
baseline:
  - { instance_id: local, name: Built in }
`;
const CREDENTIALS = `
lab:
  kind: ssh_password
  username: scan
  description: The lab
  pools: [nessus]
  targets: [127.0.0.1]
  password: { env: LAB_PASSWORD }
  escalation: { method: sudo }
domain:
  kind: windows_password
  username: scan
  pools: [other]
  targets: [127.0.0.0/8]
  password: { env: LAB_PASSWORD }
`;
const SECRET = 'a secret of the lab';

async function wired(credentials = CREDENTIALS, engine = loginEngine()) {
  const files = { 'scanners.yaml': SCANNERS, 'credentials.yaml': credentials };
  const env = { PATH: process.env['PATH'] ?? '', LAB_PASSWORD: SECRET };
  return { ...(await wire(files, { engines: { nessus: engine.type }, env })), engine };
}

const LOGIN = { targets: ['127.0.0.1'], scanner_pool: 'nessus', credential_ref: 'lab' };

describe('run_authenticated_scan', () => {
  it('queues a scan that logs in, and its worker alone learns the secret', async () => {
    const { ok, app, engine, data } = await wired();
    const submitted = await ok('run_authenticated_scan', { ...LOGIN, privilege: 'elevated' });
    expect(submitted).toMatchObject({ state: 'queued', credential_ref: 'lab', deduplicated: false });
    const stop = new AbortController();
    const working = app.runWorker(stop.signal, { leaveWhenIdle: false });
    const ended = await ok('wait_for_scan', { scan_id: submitted['scan_id'], wait_seconds: 20 });
    stop.abort();
    await working;
    expect(ended).toMatchObject({
      state: 'completed',
      verdict: 'complete',
      authentication: { success: 1, partial: 0, failed: 0 },
    });
    expect(engine.given).toEqual([
      { kind: 'ssh_password', username: 'scan', password: SECRET, escalation: { method: 'sudo' } },
    ]);
    expect(engine.told).toEqual([true]);
    const results = await ok('get_scan_results', { scan_id: submitted['scan_id'], detail: 'full' });
    expect(JSON.stringify(results)).toContain('***');
    expect(JSON.stringify([submitted, ended, results])).not.toContain(SECRET);
    const raw = join(data, 'scans', String(submitted['scan_id']), '1', 'report.raw');
    expect(readFileSync(raw, 'utf8')).toContain('"password":"***"');
  });

  it('is another request than the same scan without a login, or with more rights', async () => {
    const { ok } = await wired();
    const ids = [
      await ok('run_authenticated_scan', LOGIN),
      await ok('run_authenticated_scan', { ...LOGIN, privilege: 'elevated' }),
      await ok('run_untrusted_scan', { targets: ['127.0.0.1'], scanner_pool: 'nessus' }),
    ].map(({ scan_id: id }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(await ok('run_authenticated_scan', LOGIN)).toMatchObject({ scan_id: ids[0], deduplicated: true });
  });

  it.each([
    ['credential_unknown', { credential_ref: 'labs' }, /Credentials: domain, lab\. Did you mean lab\?/],
    ['credential_denied', { credential_ref: 'domain' }, /may not be used with pool nessus; it is for other/],
    ['credential_denied', { targets: ['127.0.0.1', '127.0.0.2'] }, /127\.0\.0\.2 is outside its targets/],
    [
      'option_unsupported',
      { scanner_pool: 'baseline' },
      /cannot log in \(credential_ref\)\. Use one of the pools that can: nessus/,
    ],
    ['target_denied', { targets: ['10.0.0.1'] }, /10\.0\.0\.1 is outside the scope/],
    ['invalid_request', { privilege: 'root' }, /privilege must be one of user, elevated/],
  ])('answers %s to %j', async (code, more, words) => {
    const { fails, app } = await wired();
    const said = await fails('run_authenticated_scan', { ...LOGIN, ...more });
    expect(said).toMatch(new RegExp(`^${code}: `));
    expect(said).toMatch(words);
    if (code === 'invalid_request') return;
    const [entry] = (await app.audit.tail(1)).toReversed();
    expect(entry).toMatchObject({ action: 'refuse', decision: code, detail: { credential_ref: expect.any(String) } });
  });

  it('is refused where the engine cannot rise to administrator', async () => {
    const { fails } = await wired(CREDENTIALS, loginEngine(undefined, []));
    expect(await fails('run_authenticated_scan', { ...LOGIN, privilege: 'elevated' })).toMatch(
      /^option_unsupported: Pool nessus \(nessus\) cannot rise to administrator/,
    );
  });

  it('allows nothing while credentials.yaml is broken, and says so', async () => {
    const { fails, ok } = await wired(`${CREDENTIALS}lab: {}\n`);
    expect(await fails('run_authenticated_scan', LOGIN)).toMatch(
      /^config_invalid: The credentials file cannot be used/,
    );
    const listed = await ok('list_scanners');
    expect(listed).toMatchObject({
      credential_refs: [],
      config: { last_error: expect.stringContaining('credentials.yaml') },
      summary: expect.stringContaining('credentials.yaml was refused'),
    });
  });
});

describe('what else knows of credentials', () => {
  it('list_scanners names them, for the pool asked about', async () => {
    const { ok } = await wired();
    expect(await ok('list_scanners')).toMatchObject({
      credential_refs: [
        { ref: 'domain', kind: 'windows_password', description: '' },
        { ref: 'lab', kind: 'ssh_password', description: 'The lab' },
      ],
    });
    const { credential_refs: refs } = await ok('list_scanners', { scanner_pool: 'nessus' });
    expect(refs).toEqual([{ ref: 'lab', kind: 'ssh_password', description: 'The lab' }]);
  });

  it('plan_scan says where a login may not go, and which tool runs it', async () => {
    const { ok, fails } = await wired();
    const plan = await ok('plan_scan', { ...LOGIN, targets: ['127.0.0.1', '127.0.0.2'] });
    expect(plan).toMatchObject({
      allowed: false,
      targets: [
        { target: '127.0.0.1', allowed: true },
        { target: '127.0.0.2', allowed: false, rule: 'credential lab' },
      ],
      summary: expect.stringContaining('would be refused: Credential lab may not be sent there'),
    });
    expect(await ok('plan_scan', LOGIN)).toMatchObject({
      allowed: true,
      summary: expect.stringContaining('Next: run_authenticated_scan'),
    });
    expect(await ok('plan_scan', { ...LOGIN, credential_ref: 'domain' })).toMatchObject({ allowed: false });
    expect(await fails('plan_scan', { ...LOGIN, credential_ref: 'nobody' })).toMatch(/^credential_unknown/);
    expect(await fails('plan_scan', { targets: ['127.0.0.1'], privilege: 'user' })).toMatch(
      /^invalid_request: privilege needs credential_ref/,
    );
  });
});
