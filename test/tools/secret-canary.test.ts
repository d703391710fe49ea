import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import type { Log } from '../../src/platform/log.ts';
import { loginEngine } from './login-engine.ts';
import { wire } from './wire.ts';

const canary = (name: string): string => `canary-${name}-${randomBytes(6).toString('hex')}<&"'/é`;

const keyText = (): string => {
  const lines = Array.from({ length: 8 }, () => randomBytes(48).toString('base64'));
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
};

const SECRETS: Readonly<Record<string, string>> = {
  PASSWORD: canary('password'),
  SUDO: canary('sudo'),
  PASSPHRASE: canary('passphrase'),
  WINDOWS: canary('windows'),
  KEY: keyText(),
  CA_KEY: keyText(),
};

const places = 'pools: [nessus, nessus_leaks], targets: [127.0.0.1], username: scan';
const CREDENTIALS = `
password: { kind: ssh_password, ${places}, password: { env: PASSWORD }, escalation: { method: sudo, password: { env: SUDO } } }
key: { kind: ssh_key, ${places}, private_key: { env: KEY }, passphrase: { env: PASSPHRASE } }
certificate: { kind: ssh_certificate, ${places}, private_key: { env: CA_KEY }, certificate: { env: PUBLIC }, passphrase: { env: PASSPHRASE } }
windows: { kind: windows_password, ${places}, password: { env: WINDOWS }, domain: CORP }
`;
const SCANNERS = `
nessus:
  - { instance_id: main, name: Main }
nessus_leaks:
  - { instance_id: main, name: Main, label: leaks }
`;

/** What must be nowhere: each secret, and each line of a key, as it is and as a report or a record would spell it. */
const needles = (): string[] =>
  Object.values(SECRETS)
    .flatMap((secret) => secret.split('\n').filter((line) => line.length > 15 && !line.startsWith('-----')))
    .flatMap((line) => [line, JSON.stringify(line).slice(1, -1), Buffer.from(line).toString('base64').slice(0, -4)]);

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());

it('a secret of any kind of credential is in no database, file, log, event, answer, export or dead letter', async () => {
  const engine = loginEngine();
  const logged: string[] = [];
  const line = (facts: object, message: string): void =>
    void logged.push(`${message} ${inspect(facts, { depth: 20 })}`);
  const log: Log = { debug: line, info: line, warn: line, error: line, child: () => log };
  const { ok, app, data } = await wire(
    { 'scanners.yaml': SCANNERS, 'credentials.yaml': CREDENTIALS },
    {
      engines: { nessus: engine.type },
      log,
      env: { PATH: process.env['PATH'] ?? '', PUBLIC: 'cert-v01 AAAA', ...SECRETS },
    },
  );
  const stop = new AbortController();
  const working = app.runWorker(stop.signal, { leaveWhenIdle: false });
  const answers: unknown[] = [];
  for (const ref of ['password', 'key', 'certificate', 'windows']) {
    for (const pool of ['nessus', 'nessus_leaks']) {
      const privilege = ref === 'password' ? 'elevated' : 'user';
      const run = { targets: ['127.0.0.1'], scanner_pool: pool, credential_ref: ref, privilege };
      answers.push(await ok('plan_scan', run));
      const { scan_id: id, ...submitted } = await ok('run_authenticated_scan', run);
      const ended = await ok('wait_for_scan', { scan_id: id, wait_seconds: 50 });
      expect(ended).toMatchObject({ state: pool === 'nessus' ? 'completed' : 'failed' });
      answers.push(submitted, ended, await ok('get_scan_results', { scan_id: id, detail: 'full' }));
      for (const format of ['native', 'json', 'html']) answers.push(await ok('export_report', { scan_id: id, format }));
      answers.push(await app.queue.events('local', String(id), 0));
    }
  }
  stop.abort();
  await working;
  answers.push(
    await ok('list_scans'),
    await ok('list_scanners'),
    await ok('get_queue_status'),
    await app.audit.tail(500),
  );
  expect(engine.given.map((credential) => credential?.kind)).toHaveLength(8);
  expect(JSON.stringify(engine.given)).toContain(JSON.stringify(SECRETS['KEY']).slice(1, -3));

  const haystacks = filesBelow(dirname(data)).map((file) => ({ file, bytes: readFileSync(file) }));
  haystacks.push({ file: 'answers', bytes: Buffer.from(JSON.stringify(answers)) });
  haystacks.push({ file: 'log', bytes: Buffer.from(logged.join('\n')) });
  const found = haystacks.flatMap(({ file, bytes }) =>
    needles().flatMap((needle) => (bytes.includes(needle) ? [file] : [])),
  );
  expect(found).toEqual([]);
  // The search would find one: the engine wrote all of them, and a mask stands in their place.
  expect(JSON.stringify(answers)).toContain('***');
  expect(logged.length).toBeGreaterThan(8);
}, 120_000);
