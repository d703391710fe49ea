import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { Credential } from '../../../../src/model/credential.ts';
import { secretsOf } from '../../../../src/model/credential.ts';
import { newScanId } from '../../../../src/model/ids.ts';
import { credentialsPayload } from '../../../../src/scanners/nessus/live/credentials.ts';
import type { Checkpoint } from '../../../../src/scanners/scanner.ts';
import { openLab, stopped, type Lab } from './harness.ts';

const KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0LWtleS1ib2R5\n-----END OPENSSH PRIVATE KEY-----\n';
const CREDENTIALS: Readonly<Record<string, Credential>> = {
  ssh_password: { kind: 'ssh_password', username: 'scan', password: 'canary-password-1' },
  ssh_password_sudo: {
    kind: 'ssh_password',
    username: 'scan',
    password: 'canary-password-2',
    escalation: { method: 'Cisco enable', account: 'root', password: 'canary-escalation-2' },
  },
  ssh_key: { kind: 'ssh_key', username: 'scan', privateKey: KEY, passphrase: 'canary-passphrase-3' },
  ssh_certificate: { kind: 'ssh_certificate', username: 'scan', privateKey: KEY, certificate: 'ssh-ed25519-cert AAAA' },
  windows: { kind: 'windows_password', username: 'scan', password: 'canary-password-4', domain: 'CORP' },
};
const AUTHENTICATED = { access: 'authenticated', credential_ref: 'prod' } as const;
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

let lab: Lab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

describe('what a scan logs in with', () => {
  for (const [name, credential] of Object.entries(CREDENTIALS)) {
    it(`is given to the scanner and taken back when the scan is over: ${name}`, async () => {
      lab = await openLab();
      const { sim } = lab;
      let during: (typeof sim)['control']['scans'] extends () => (infer Scan)[] ? Scan | undefined : never;
      const { outcome, error } = await lab.attempt({
        credential,
        request: AUTHENTICATED,
        onProgress: () => void (during ??= sim.control.scans()[0]),
      });
      expect(error).toBeUndefined();
      expect(outcome).toEqual({ whole: true });
      expect(during?.credentials).toHaveLength(1);
      expect(during?.credentials[0]?.plain).toMatchObject({ username: 'scan' });
      expect(sim.control.scans()[0]?.credentials).toEqual([]);
      const uploads = sim.control.uploads();
      expect(uploads).toHaveLength(name === 'ssh_key' ? 1 : name === 'ssh_certificate' ? 2 : 0);
      if (uploads[0]) expect(inspect(uploads[0])).toContain(hash(KEY));
      expect(uploads.every((upload) => inspect(upload).match(/removedAt: \d/))).toBe(true);
    });
  }

  it('is taken back after a cancel, and by whoever adopts the scan', async () => {
    lab = await openLab({ runs: [{ walk: [{ status: 'running', for_ms: 100_000 }] }] });
    const credential = CREDENTIALS['ssh_key'];
    if (!credential) throw new Error('no credential');
    const stop = new AbortController();
    await lab.attempt({
      credential,
      request: AUTHENTICATED,
      signal: stop.signal,
      onProgress: ({ percent }) => percent > 5 && stop.abort(stopped('cancelled')),
    });
    expect(lab.sim.control.scans()[0]?.credentials).toEqual([]);
    const scanId = 'scan_0123456789abcdefghjk';
    const kill = new AbortController();
    await lab.attempt({
      scanId,
      credential,
      request: AUTHENTICATED,
      signal: kill.signal,
      onProgress: ({ percent }) => percent > 5 && kill.abort(stopped('lease_lost')),
    });
    expect(lab.sim.control.scans()[1]?.credentials).toHaveLength(1);
    await lab.attempt({ scanId, epoch: 2, previous: lab.checkpoints.at(-1), request: AUTHENTICATED });
    expect(lab.sim.control.scans()[1]?.credentials).toEqual([]);
  });

  const key = CREDENTIALS['ssh_key'];
  const keyed = { request: AUTHENTICATED, ...(key ? { credential: key } : {}) };

  it('says which key file stays at a scanner that refuses the scan', async () => {
    lab = await openLab({ faults: [{ on: 'POST /scans', do: 'status', code: 400 }] });
    const { error } = await lab.attempt(keyed);
    const name = lab.sim.control.uploads()[0]?.name;
    expect(name).toBeDefined();
    expect(error).toMatchObject({ code: 'invalid_request', hint: expect.stringContaining(`key file ${name}`) });
    expect(inspect(error)).not.toContain('should it be at the scanner');
  });

  it('says that a scan with the login may be at a scanner that does not answer when it is made', async () => {
    lab = await openLab({ faults: [{ on: 'POST /scans', do: 'reset' }] });
    const { error } = await lab.attempt({ ...keyed, scanId: 'scan_0123456789abcdefghjk' });
    expect(error).toMatchObject({
      code: 'scanner_unreachable',
      hint: expect.stringContaining('"scanmux scan_0123456789abcdefghjk.1"'),
    });
  });

  it('is given once more by whoever goes on after a kill between key and scan, and the first key is told', async () => {
    const scanId = 'scan_0123456789abcdefghjk';
    lab = await openLab({ faults: [{ on: 'POST /scans', nth: 1, times: 2, do: 'reset' }] });
    await lab.attempt({ ...keyed, scanId });
    const previous = { phase: 'intent', reference: `scanmux ${scanId}.1` } as const;
    expect((await lab.attempt({ ...keyed, scanId, epoch: 2, previous })).outcome).toEqual({
      whole: true,
      leftBehind: expect.stringContaining(`key file scanmux-${scanId}-`),
    });
    expect(lab.sim.control.scans().map(({ launches }) => launches.length)).toEqual([1]);
    expect(
      lab.sim.control
        .uploads()
        .map(({ name, removedAt }) => [name.startsWith(`scanmux-${scanId}-`), removedAt !== undefined]),
    ).toEqual([
      [true, false],
      [true, true],
    ]);
  });

  it('is not said to have left a key where the scan of the killed attempt is found', async () => {
    lab = await openLab();
    const first: (Checkpoint | undefined)[] = [];
    const scanId = newScanId();
    const lost = stopped('lease_lost');
    const stop = new AbortController();
    await lab.attempt({
      ...keyed,
      scanId,
      signal: stop.signal,
      onCheckpoint: (made) => {
        first.push(made);
        if (made.phase === 'launched') stop.abort(lost);
      },
    });
    expect(first[0]?.phase).toBe('intent');
    const { outcome } = await lab.attempt({ ...keyed, scanId, epoch: 2, previous: first[0] });
    expect(outcome).toEqual({ whole: true });
  });

  it('is deleted with the scan when the scanner refuses to launch it', async () => {
    for (const code of [400, 403]) {
      lab = await openLab({ faults: [{ on: 'POST /scans/{id}/launch', do: 'status', code }] });
      const { error } = await lab.attempt(keyed);
      expect(error).toMatchObject({ retryable: false });
      expect(inspect(error)).not.toContain('Operator: the login');
      expect(lab.sim.control.scans()).toEqual([]);
      expect(lab.sim.control.uploads().every((upload) => upload.removedAt !== undefined)).toBe(true);
      await lab.close();
    }
    lab = undefined;
  });

  it('is said to stay, with the place, where it cannot be taken back', async () => {
    const faults = [
      { on: 'POST /scans/{id}/launch', do: 'status' as const, code: 403 },
      { on: 'DELETE /scans/{id}', do: 'status' as const, code: 403 },
      { on: 'PUT /scans/{id}', do: 'status' as const, code: 403 },
    ];
    lab = await openLab({ faults, folders: ['Team'] }, { folder: 'Team' });
    const { error } = await lab.attempt(keyed);
    const id = lab.sim.control.scans()[0]?.id;
    expect(error).toMatchObject({ code: 'scanner_login_failed', hint: expect.stringContaining(`delete scan ${id} `) });
    expect(error).toMatchObject({ hint: expect.stringContaining('in folder "Team"') });
  });

  it('is said to stay also with a report, and after a cancel', async () => {
    const faults = [{ on: 'PUT /scans/{id}', do: 'status' as const, code: 503 }];
    lab = await openLab({ faults });
    const { outcome } = await lab.attempt(keyed);
    expect(outcome).toEqual({ whole: true, leftBehind: expect.stringContaining('may still be at the scanner') });
    await lab.close();
    lab = await openLab({ faults, runs: [{ walk: [{ status: 'running', for_ms: 100_000 }] }] });
    const stop = new AbortController();
    const cancelled = await lab.attempt({
      ...keyed,
      signal: stop.signal,
      onProgress: ({ percent }) => percent > 5 && stop.abort(stopped('cancelled')),
    });
    expect(cancelled.outcome).toEqual({ whole: false, leftBehind: expect.stringContaining('delete scan') });
  });

  it('is in no checkpoint, error, progress or name, whatever the scanner answers', async () => {
    for (const [name, credential] of Object.entries(CREDENTIALS)) {
      lab = await openLab({
        faults: [
          { on: 'POST /scans', nth: 1, do: 'reset' },
          { on: 'POST /scans', nth: 2, do: 'status', code: 400 },
        ],
      });
      const seen: unknown[] = [];
      const { error, progress } = await lab.attempt({
        credential,
        request: AUTHENTICATED,
        onCheckpoint: (made) => void seen.push(made),
      });
      expect(error, name).toBeDefined();
      const all = inspect([error, progress, seen, lab.sim.journal.entries()], { depth: 20, showHidden: true });
      for (const secret of secretsOf(credential))
        expect(all).not.toContain(secret.slice(0, 40).split('\n')[1] ?? secret);
      await lab.close();
      lab = undefined;
    }
  });

  it('becomes an administrator by the names Nessus has for it', () => {
    const entry = (method: 'sudo' | 'su+sudo' | '.k5login' | 'Cisco enable' | 'Checkpoint expert'): string =>
      JSON.stringify(
        credentialsPayload({ kind: 'ssh_password', username: 'u', password: 'p', escalation: { method } }, undefined),
      );
    expect(entry('sudo')).toContain('"elevate_privileges_with":"sudo"');
    expect(entry('su+sudo')).toContain('"elevate_privileges_with":"su+sudo"');
    expect(entry('.k5login')).toContain('"elevate_privileges_with":".k5login"');
    expect(entry('Cisco enable')).toContain(`"elevate_privileges_with":"Cisco 'enable'"`);
    expect(entry('Checkpoint expert')).toContain(`"elevate_privileges_with":"Checkpoint Gaia 'expert'"`);
  });
});
