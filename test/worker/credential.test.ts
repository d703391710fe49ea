import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import { createFindingsStore } from '../../src/findings/findings-store.ts';
import { AppError } from '../../src/model/errors.ts';
import { ParsedFinding } from '../../src/model/finding.ts';
import type { ScanRequest } from '../../src/model/scan.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Log } from '../../src/platform/log.ts';
import { createPolicy } from '../../src/policy/create-policy.ts';
import type { RunContext, Scanner } from '../../src/scanners/scanner.ts';
import { runAttempt } from '../../src/worker/attempt.ts';
import { createShield } from '../../src/worker/shield.ts';
import { runsUntilStopped, startParts, TENANT, testsAll, writes, type Parts, type Play } from './start-worker.ts';

const SECRET = `c4n4ry<"&'/é secret`;
const SUDO = 'sudo canary 77aa';
const never = (): AbortSignal => new AbortController().signal;

const LOGIN = { access: 'authenticated', credential_ref: 'lab', privilege: 'user' } as const;

/** Parts with a credential `lab` for loopback, whose secrets lie in files outside of the data folder. */
async function withLab(
  play: Play,
  ...rest: Parameters<typeof startParts> extends [Play, ...infer More] ? More : never
) {
  const parts = await startParts(play, ...rest);
  writeCredential(parts);
  return parts;
}

function writeCredential(parts: Parts, targets = '127.0.0.1', password = secretFile(parts, 'password', SECRET)): void {
  const sudo = secretFile(parts, 'sudo', SUDO);
  writeFileSync(
    join(parts.configFolder, 'credentials.yaml'),
    `lab:\n  kind: ssh_password\n  username: scan\n  pools: [played]\n  targets: [${targets}]\n  password: ${password}\n  escalation: { method: sudo, password: ${sudo} }\n`,
  );
}

function secretFile(parts: Parts, name: string, text: string): string {
  const file = join(parts.configFolder, `secret-${name}`);
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return `{ file: ${file} }`;
}

async function runOne(parts: Parts, request: Partial<ScanRequest> = LOGIN) {
  const scanId = await parts.submit(request);
  const ended = await runAttempt(parts.deps, await parts.claim(), never());
  return { ended, scanId, scan: await parts.record(scanId) };
}

/** Every file below a folder but those that hold the secrets themselves. */
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile() && !file.includes('/secret-'));

const rawReport = (parts: Parts, scanId: string): Buffer =>
  readFileSync(join(parts.configFolder, 'scans', scanId, '1', 'report.raw'));

function recordingLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const line = (facts: object, message: string): void => {
    lines.push(`${message} ${JSON.stringify(facts)} ${inspect(facts, { depth: 20 })}`);
  };
  const log: Log = { debug: line, info: line, warn: line, error: line, child: () => log };
  return { log, lines };
}

describe('a scan that logs in', () => {
  it('gives its engine the login, and the elevated part only when that was asked for', async () => {
    const seen: RunContext['credential'][] = [];
    const play: Play = async (ctx, job) => {
      seen.push(ctx.credential);
      return await testsAll(ctx, job);
    };
    const parts = await withLab(play);
    await runOne(parts);
    await runOne(parts, { ...LOGIN, privilege: 'elevated' });
    await runOne(parts, { access: 'untrusted' });
    expect(seen).toEqual([
      { kind: 'ssh_password', username: 'scan', password: SECRET },
      {
        kind: 'ssh_password',
        username: 'scan',
        password: SECRET,
        escalation: { method: 'sudo', password: SUDO },
      },
      undefined,
    ]);
  });

  it('writes down each use before the secret is read, by name only', async () => {
    const parts = await withLab(testsAll);
    const { scanId } = await runOne(parts);
    const audit = await openAuditLog({ folder: parts.configFolder, clock: systemClock });
    const entries = await audit.tail(10);
    await audit.close();
    expect(entries).toContainEqual(
      expect.objectContaining({
        action: 'credential_use',
        decision: 'allowed',
        scanId,
        targets: ['127.0.0.1'],
        detail: { credential_ref: 'lab', privilege: 'user', pool: 'played', instance: 'a' },
      }),
    );
  });

  it('leaves its secrets nowhere: not in the report however it is spelt, nor in records, events, errors and logs', async () => {
    const spellings = (secret: string): string[] => [
      secret,
      JSON.stringify(secret).slice(1, -1),
      secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;'),
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64'),
    ];
    const play: Play = async (ctx) => {
      for (const secret of [SECRET, SUDO]) {
        for (const text of spellings(secret)) {
          // Cut anywhere.
          for (const char of Buffer.from(`said ${text} `)) await writes(ctx, String.fromCharCode(char)).catch(() => {});
          await writes(ctx, `again ${text}\n`);
          ctx.progress({ percent: 1, phase: `logging in with ${text}`, estimated: true });
        }
      }
      await writes(ctx, 'tested end');
      throw new AppError('scanner_login_failed', `${SECRET} was refused`, {
        hint: `not ${SUDO}`,
        cause: new Error(`cause ${SECRET}`),
      });
    };
    const { log, lines } = recordingLog();
    const parts = await withLab(play, {}, { log });
    const { scan, scanId } = await runOne(parts, { ...LOGIN, privilege: 'elevated' });
    expect(scan).toMatchObject({
      state: 'failed',
      error: { code: 'scanner_login_failed', message: '*** was refused', hint: 'not ***' },
    });
    const events = JSON.stringify(await parts.queue.events(TENANT, scanId, 0));
    const kept = [
      ...filesBelow(parts.configFolder).map((file) => readFileSync(file)),
      Buffer.from(lines.join('\n')),
      Buffer.from(events),
    ];
    for (const secret of [SECRET, SUDO])
      for (const text of spellings(secret)) for (const bytes of kept) expect(bytes.includes(text)).toBe(false);
    const raw = rawReport(parts, scanId);
    expect(raw.toString()).toContain('again ***\n');
    const sha256 = createHash('sha256').update(raw).digest('hex');
    expect(scan.result?.artefacts[0]).toMatchObject({ kind: 'raw_report', sha256, bytes: raw.length });
  });

  it('is masked again as it was read, should a report spell a secret in a way nobody thought of', async () => {
    const shield = createShield();
    shield.protect([SECRET]);
    const rule = ParsedFinding.parse({
      rule_id: 'r',
      title: `t ${SECRET}`,
      severity: 'low',
      severity_source: 'engine',
      location: { ip: '127.0.0.1', url: `http://x/?${SECRET}` },
      untrusted: { output: `o ${SECRET}`, banner: 'clean' },
    });
    async function* events() {
      yield { kind: 'finding', finding: rule } as const;
      yield { kind: 'place', place: { place: 'p', status: 'partial', reason: SECRET } } as const;
    }
    const out = [];
    for await (const event of shield.events(events())) out.push(event);
    expect(JSON.stringify(out)).not.toContain('c4n4ry');
    expect(out).toMatchObject([
      { finding: { title: 't ***', untrusted: { output: 'o ***', banner: 'clean' }, rule_id: 'r' } },
      { place: { reason: '***' } },
    ]);
  });
});

describe('a login that may not be used when the scan starts', () => {
  const notCalled: Play = () => Promise.reject(new Error('the engine was called'));

  it('is kept back when the name has moved to an address outside its targets', async () => {
    let address = '10.1.0.5';
    const played: unknown[] = [];
    const play: Play = async (ctx, job) => {
      played.push(job.targets[0]?.addresses);
      return await testsAll(ctx, job);
    };
    const parts = await withLab(play);
    parts.writePolicy('allow: [db.example]\n');
    const policy = createPolicy({
      file: join(parts.configFolder, 'policy.yaml'),
      mode: 'stdio',
      clock: systemClock,
      lookup: async () => [address],
    });
    writeCredential(parts, '10.1.0.0/24');
    const moved: Parts = { ...parts, deps: { ...parts.deps, policy } };
    const request = { ...LOGIN, targets: ['db.example'] };
    expect((await runOne(moved, request)).scan.state).toBe('completed');
    address = '10.9.0.5';
    expect((await runOne(moved, request)).scan).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: {
        code: 'credential_denied',
        message:
          'At run time: Credential lab may not be sent there: db.example resolves to 10.9.0.5, which is outside its targets.',
      },
    });
    expect(played).toEqual([['10.1.0.5']]);
  });

  it('is refused at once when it is gone, and is tried again while its file is broken', async () => {
    const parts = await withLab(notCalled);
    writeFileSync(
      join(parts.configFolder, 'credentials.yaml'),
      'other: { kind: ssh_password, username: u, password: { env: A } }',
    );
    expect((await runOne(parts)).scan).toMatchObject({ state: 'failed', error: { code: 'credential_unknown' } });
    writeFileSync(join(parts.configFolder, 'credentials.yaml'), 'other: [');
    expect((await runOne(parts)).scan).toMatchObject({ state: 'retrying', error: { code: 'scan_aborted' } });
  });

  it('is refused at once when a secret is not where it should be, and tried again when a command fails', async () => {
    const parts = await withLab(notCalled);
    writeCredential(parts, '127.0.0.1', '{ env: ABSENT }');
    expect((await runOne(parts)).scan).toMatchObject({ state: 'failed', error: { code: 'config_invalid' } });
    writeCredential(parts, '127.0.0.1', `{ command: [${process.execPath}, -e, "process.exit(1)"] }`);
    expect((await runOne(parts)).scan).toMatchObject({
      state: 'retrying',
      error: { code: 'credential_unavailable', message: expect.stringContaining('ended with code 1') },
    });
  });

  it('ends what an earlier worker started, and keeps nothing of a report it cannot mask', async () => {
    const calls: { credential: unknown; aborted: boolean }[] = [];
    const play: Play = async (ctx, job) => {
      if (calls.length === 0) await ctx.checkpoint({ phase: 'launched', reference: '7' });
      calls.push({ credential: ctx.credential, aborted: ctx.signal.aborted });
      await writes(ctx, `tested ${SECRET}`);
      return await runsUntilStopped(ctx, job);
    };
    const parts = await withLab(play);
    const scanId = await parts.submit(LOGIN);
    const shutdown = new AbortController();
    const first = runAttempt(parts.deps, await parts.claim(), shutdown.signal);
    await expect.poll(() => calls.length).toBe(1);
    shutdown.abort();
    expect(await first).toBe('released');
    writeCredential(parts, '10.0.0.1');
    const claim = await parts.claim();
    expect(claim.checkpoint).toMatchObject({ reference: '7' });
    await runAttempt(parts.deps, claim, never());
    expect(calls[1]).toEqual({ credential: undefined, aborted: true });
    expect(await parts.record(scanId)).toMatchObject({ state: 'failed', error: { code: 'credential_denied' } });
    for (const file of filesBelow(parts.configFolder)) expect(readFileSync(file).includes('c4n4ry')).toBe(false);
  });

  it('is waited for a little when the scan runs outside already', async () => {
    const calls: unknown[] = [];
    const play: Play = async (ctx, job) => {
      calls.push(ctx.credential);
      if (calls.length > 1) return await testsAll(ctx, job);
      await ctx.checkpoint({ phase: 'launched', reference: '7' });
      return await runsUntilStopped(ctx, job);
    };
    const parts = await withLab(play);
    const scanId = await parts.submit(LOGIN);
    const shutdown = new AbortController();
    const first = runAttempt(parts.deps, await parts.claim(), shutdown.signal);
    await expect.poll(() => calls.length).toBe(1);
    shutdown.abort();
    await first;
    const { credentials } = parts.deps;
    let failures = 0;
    const resolve: typeof credentials.resolve = async (...words) => {
      failures += 1;
      if (failures < 3) throw new AppError('credential_unavailable', 'The vault is closed.');
      return await credentials.resolve(...words);
    };
    await runAttempt({ ...parts.deps, credentials: { ...credentials, resolve } }, await parts.claim(), never());
    expect(await parts.record(scanId)).toMatchObject({ state: 'completed' });
    expect(calls).toHaveLength(2);
  });
});

describe('the verdict of a scan that was to log in', () => {
  const reports = (login?: 'success' | 'partial' | 'failed'): Scanner['parse'] =>
    async function* () {
      yield { kind: 'place', place: { place: '127.0.0.1', status: 'tested', ...(login ? { login } : {}) } };
      yield { kind: 'end' };
    };

  it.each([
    ['success', 'complete', { success: 1, partial: 0, failed: 0 }],
    ['partial', 'partial', { success: 0, partial: 1, failed: 0 }],
    ['failed', 'partial', { success: 0, partial: 0, failed: 1 }],
    [undefined, 'partial', undefined],
  ] as const)('is, for a login that was a %s, %s', async (login, verdict, authentication) => {
    const parts = await withLab(testsAll, {}, { findings: createFindingsStore() });
    const pools = parts.deps.registry.pools().map((pool) => ({
      ...pool,
      instances: pool.instances.map((instance) => ({
        ...instance,
        scanner: { ...instance.scanner, parse: reports(login) },
      })),
    }));
    const registry = { ...parts.deps.registry, pools: () => pools };
    const { scan } = await runOne({ ...parts, deps: { ...parts.deps, registry } });
    expect(scan).toMatchObject({ state: 'completed', result: { verdict } });
    expect(scan.result?.authentication).toEqual(authentication);
  });
});

describe('a log during an attempt', () => {
  it('masks what errors carry, however deep, and lets all else through', () => {
    const { log, lines } = recordingLog();
    const shield = createShield();
    const safe = shield.log(log);
    safe.info({ at: SECRET }, 'before');
    shield.protect([SECRET]);
    const error = new TypeError(`x ${SECRET}`, { cause: new Error(SECRET, { cause: { deep: [SECRET] } }) });
    safe.child({ a: 1 }).error({ err: error, more: { list: [1, SECRET] } }, `y ${SECRET}`);
    expect(lines[0]).toContain('c4n4ry');
    expect(lines[1]).not.toContain('c4n4ry');
    expect(lines[1]).toContain('x ***');
    expect(lines[1]).toContain('"list":[1,"***"]');
  });
});
