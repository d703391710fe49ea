import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ScenarioInput } from '../../src/simulators/nessus/scenario.ts';
import { startNessusSimulator, type NessusSimulator } from '../../src/simulators/nessus/simulator.ts';
import { MAIN, untilEnded } from '../cli/command-process.ts';
import { connect, createInstallation, finished, type Connection, type Installation } from './stdio-client.ts';

/** With what JSON, XML and URLs escape, each in its own way. */
const canary = (name: string): string => `canary-${name}\\it's 100%&"<>/+$-${randomBytes(9).toString('hex')}`;
const keyText = (): string =>
  [
    '-----BEGIN OPENSSH PRIVATE KEY-----',
    randomBytes(48).toString('base64'),
    '-----END OPENSSH PRIVATE KEY-----',
    '',
  ].join('\n');

const SECRETS: Readonly<Record<string, string>> = {
  PASSWORD: canary('password'),
  SUDO: canary('sudo'),
  PASSPHRASE: canary('passphrase'),
  WINDOWS: canary('windows'),
  KEY: keyText(),
  CERTIFICATE_KEY: keyText(),
  CERTIFICATE: `ssh-ed25519-cert-v01@openssh.com ${randomBytes(48).toString('base64')} it's "scan"`,
};
const places = 'pools: [nessus], targets: [127.0.0.1], username: scan';
const CREDENTIALS = `
password: { kind: ssh_password, ${places}, password: { env: PASSWORD }, escalation: { method: sudo, password: { env: SUDO } } }
key: { kind: ssh_key, ${places}, private_key: { env: KEY }, passphrase: { env: PASSPHRASE } }
certificate: { kind: ssh_certificate, ${places}, private_key: { env: CERTIFICATE_KEY }, certificate: { env: CERTIFICATE } }
windows: { kind: windows_password, ${places}, password: { env: WINDOWS }, domain: CORP }
`;

const escapeXml =
  (apostrophe: string) =>
  (text: string): string =>
    text.replace(/[&<>"']/g, (char) => REFERENCES.get(char) ?? apostrophe);
const REFERENCES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);
const SPELLINGS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => JSON.stringify(text).slice(1, -1),
  ...["'", '&apos;', '&#39;', '&#x27;'].map(escapeXml),
  encodeURIComponent,
  (text) => encodeURIComponent(text).replaceAll('%20', '+').replaceAll("'", '%27'),
  (text) => Buffer.from(text).toString('base64').replace(/=+$/, ''),
];
const spelledTwice = (text: string): string[] => [
  ...new Set(SPELLINGS.flatMap((inner) => SPELLINGS.map((outer) => outer(inner(text))))),
];

interface Opened {
  readonly sim: NessusSimulator;
  readonly mcp: Connection;
  readonly installation: Installation;
  readonly env: Readonly<Record<string, string>>;
}

async function open(scenario: ScenarioInput): Promise<Opened> {
  const sim = await startNessusSimulator({ scenario: { speed: 20, ...scenario } });
  onTestFinished(() => sim.close());
  const { accessKey, secretKey } = sim.auth;
  const pool = `nessus:
  - instance_id: only
    url: ${sim.url}
    access_key: \${NESSUS_ACCESS}
    secret_key: \${NESSUS_SECRET}
    tls_fingerprint: ${sim.certificate?.fingerprint}
    remote_folders: [Open]
`;
  const installation = createInstallation({ 'scanners.yaml': pool, 'credentials.yaml': CREDENTIALS });
  const env = { ...SECRETS, NESSUS_ACCESS: accessKey, NESSUS_SECRET: secretKey };
  return { sim, mcp: await connect(installation, { env }), installation, env };
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());

describe('a Nessus behind the tools', () => {
  it('logs in with every kind of credential, and no secret is left anywhere', async () => {
    const { sim, mcp, installation } = await open({ runs: [{ report: { echo_secrets: true } }] });
    const answers: unknown[] = [];
    for (const ref of ['password', 'key', 'certificate', 'windows']) {
      const call = { targets: ['127.0.0.1'], credential_ref: ref, privilege: ref === 'password' ? 'elevated' : 'user' };
      const made = await mcp.ok('run_authenticated_scan', call);
      const status = await finished(mcp, made['scan_id']);
      expect(status).toMatchObject({
        state: 'completed',
        verdict: 'complete',
        authentication: { success: 1, partial: 0, failed: 0 },
        external_scan_id: expect.stringMatching(/^\d+$/),
      });
      answers.push(made, status, await mcp.ok('get_scan_results', { scan_id: made['scan_id'], detail: 'full' }));
    }
    expect(sim.control.scans().every(({ credentials }) => credentials.length === 0)).toBe(true);
    await mcp.close();
    const kept = [...filesBelow(installation.data), ...filesBelow(installation.config)].map((file) =>
      readFileSync(file, 'latin1'),
    );
    const all = [...kept, JSON.stringify(answers)].join('\n');
    const needles = [
      ...Object.values(SECRETS).flatMap((text) => text.split('\n')),
      sim.auth.accessKey,
      sim.auth.secretKey,
    ];
    for (const needle of needles.filter((text) => text.length > 15 && !text.startsWith('---'))) {
      for (const form of spelledTwice(needle))
        expect(all.includes(form), `${needle.slice(0, 16)} as ${form}`).toBe(false);
    }
  }, 120_000);

  it('says what to do when a login is refused, and is not complete', async () => {
    const { mcp } = await open({ runs: [{ login: 'failed' }] });
    const made = await mcp.ok('run_authenticated_scan', { targets: ['127.0.0.1'], credential_ref: 'password' });
    const status = await finished(mcp, made['scan_id']);
    expect(status).toMatchObject({ state: 'completed', verdict: 'partial', authentication: { failed: 1 } });
    expect(JSON.stringify(status['troubleshooting'])).toContain('refused user name, password or key');
  }, 60_000);

  it('says which scan to delete there when its login could not be taken back', async () => {
    const { sim, mcp } = await open({ faults: [{ on: 'PUT /scans/{id}', do: 'status', code: 503 }] });
    const made = await mcp.ok('run_authenticated_scan', { targets: ['127.0.0.1'], credential_ref: 'key' });
    const status = await finished(mcp, made['scan_id']);
    expect(status).toMatchObject({ state: 'completed', verdict: 'complete' });
    expect(JSON.stringify(status['troubleshooting'])).toContain(`delete scan ${sim.control.scans()[0]?.id} `);
  }, 60_000);

  it('without control of scans refuses runs before they are queued, and imports what people launched', async () => {
    const scans = [
      { name: 'weekly', folder: 'Open', targets: ['127.0.0.1'] },
      { name: 'board', targets: ['127.0.0.1'] },
    ];
    const { sim, mcp, installation, env } = await open({ edition: 'essentials', folders: ['Open'], scans });
    const refused = await mcp.fails('run_untrusted_scan', { targets: ['127.0.0.1'] });
    expect(refused.code).toBe('scanner_edition_forbids_api');
    const [said = ''] = refused.text.split('\n');
    expect([said.match(/does not allow starting scans/g), said.match(/import_report/g)]).toMatchObject([
      { length: 1 },
      { length: 1 },
    ]);
    // Where the login may go does not matter when nothing can be started.
    const login = await mcp.fails('run_authenticated_scan', { targets: ['127.0.0.2'], credential_ref: 'password' });
    expect(login.code).toBe('scanner_edition_forbids_api');
    expect(JSON.stringify(await mcp.ok('list_scanners'))).toContain('does not allow starting scans');
    const listed = JSON.stringify(await mcp.ok('list_scanners', { remote_scans: true }));
    expect(listed).toContain('weekly');
    expect(listed).not.toContain('board');
    const idOf = (name: string): number => sim.control.scans().find((scan) => scan.name === name)?.id ?? 0;
    const imported = await mcp.ok('import_report', { source: `nessus:only/${idOf('weekly')}` });
    expect(imported).toMatchObject({ state: 'completed' });
    const closed = await mcp.fails('import_report', { source: `nessus:only/${idOf('board')}` });
    expect(closed.code).toBe('scan_not_found');
    const places = ['--config', installation.config, '--data', installation.data];
    const typed = (source: string) =>
      untilEnded(spawn(process.execPath, [MAIN, ...places, 'import', source, '--json'], { env }));
    const again = await typed(`nessus:only/${idOf('weekly')}`);
    expect(JSON.parse(again.stdout), again.stderr).toMatchObject({ scan_id: imported['scan_id'], deduplicated: true });
    const unknown = await typed('nessus:nowhere/3');
    expect(unknown.stderr).toContain('nessus:only');
    expect(unknown.stderr).not.toContain('list_scanners');
    expect(
      sim.journal.entries().filter(({ method, route }) => method !== 'GET' && route !== '/scans/{id}/export'),
    ).toEqual([]);
  }, 60_000);

  it('is cancelled there, and what was found is kept', async () => {
    const { sim, mcp } = await open({ runs: [{ walk: [{ status: 'running', for_ms: 400_000 }] }] });
    const made = await mcp.ok('run_untrusted_scan', { targets: ['127.0.0.1'] });
    await expect.poll(() => sim.control.scans()[0]?.status, { timeout: 20_000 }).toBe('running');
    await mcp.ok('cancel_scan', { scan_id: made['scan_id'] });
    const status = await finished(mcp, made['scan_id']);
    expect(status).toMatchObject({ state: 'cancelled' });
    expect(sim.control.scans()[0]?.status).toBe('canceled');
  }, 60_000);
});
