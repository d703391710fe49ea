import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/platform/clock.ts';
import type { Claim, ScanQueue } from '../../src/queue/queue.ts';
import { createSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { newFolder, SETTINGS } from '../queue/sqlite-harness.ts';

const PROCESS = fileURLToPath(new URL('./queue-process.mjs', import.meta.url));
const settings = { ...SETTINGS, maxLostLeases: 1_000 };

const Submitted = z.object({
  scanByKey: z.record(z.string(), z.string()),
  errors: z.array(z.string()),
  differing: z.number(),
});
const Step = z.object({ step: z.string(), active: z.record(z.string(), z.number()).optional() });

/** Park and Miller: the kills differ from step to step and are the same in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('several processes on one queue file', () => {
  let folder: string;
  let queue: ScanQueue;
  let ending: boolean;
  const children = new Set<ChildProcess>();
  beforeEach(async () => {
    ending = false;
    folder = newFolder();
    queue = await createSqliteQueue({ folder, clock: systemClock, settings });
  });
  afterEach(async () => {
    ending = true;
    for (const child of children) await kill(child);
    await queue.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (role: 'submit' | 'claim' | 'hold', more: object): ChildProcess => {
    const child = fork(PROCESS, [role, JSON.stringify({ folder, settings, ...more })], { execArgv: [] });
    children.add(child);
    return child;
  };
  const kill = async (child: ChildProcess): Promise<void> => {
    children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };

  it('make one scan per key out of 10,000 submits with 500 shared keys, and no lock surfaces', async () => {
    const reports = await Promise.all(
      [1, 2].map(async () => {
        const [message] = await once(start('submit', { submits: 5_000, keys: 500 }), 'message');
        return Submitted.parse(message);
      }),
    );
    expect(reports.map(({ errors, differing }) => ({ errors, differing }))).toEqual([
      { errors: [], differing: 0 },
      { errors: [], differing: 0 },
    ]);
    expect(reports[0]?.scanByKey).toEqual(reports[1]?.scanByKey);
    expect(new Set(Object.values(reports[0]?.scanByKey ?? {})).size).toBe(500);
    expect((await queue.list('local', { limit: 1 })).total).toBe(500);
  }, 90_000);

  it('lose no scan and exceed no limit when claimers are killed at random', async () => {
    const limits: Readonly<Record<string, number>> = { 'nmap/a': 3, 'nmap/b': 1, 'nmap/c': 2 };
    const slots = ['a', 'b', 'c'].map((instance) => ({ pool: 'nmap', instance, limit: limits[`nmap/${instance}`] }));
    for (let n = 0; n < 300; n++) await queue.submit(newScan());
    const random = randomFrom(42);
    const stepsSeen = new Set<string>();
    const exceeded: string[] = [];
    let kills = 0;

    const heard = (child: ChildProcess, message: unknown): void => {
      const { step, active = {} } = Step.parse(message);
      stepsSeen.add(step);
      for (const [instance, count] of Object.entries(active)) {
        if (count > (limits[instance] ?? 0)) exceeded.push(`${instance}: ${count}`);
      }
      if (kills >= 40 || random() > 0.05 || !children.has(child)) return;
      kills += 1;
      void kill(child).then(startClaimer);
    };
    const startClaimer = (): void => {
      if (ending) return;
      const child = start('claim', { slots });
      child.on('message', (message) => heard(child, message));
    };
    for (let n = 0; n < 3; n++) startClaimer();

    const all = await queue.list('local', { limit: 300 });
    const waited = AbortSignal.timeout(80_000);
    for (const { scanId } of all.scans) {
      for (let seq = 0; ;) {
        const last = (await queue.events('local', scanId, seq)).at(-1);
        if (last?.state === 'completed' || waited.aborted) break;
        seq = last?.seq ?? seq;
        await queue.waitForEvent('local', scanId, seq, waited);
      }
    }
    const ended = (await queue.list('local', { limit: 300, state: 'completed' })).scans;
    expect(ended).toHaveLength(300);
    for (const scan of ended) expect([scan.scanId, scan.result?.findings]).toEqual([scan.scanId, scan.epoch]);
    expect(exceeded).toEqual([]);
    expect(stepsSeen).toEqual(new Set(['claimed', 'intent', 'launched', 'finished']));
    expect(kills).toBeGreaterThanOrEqual(20);
  }, 90_000);

  it('take a scan over from a stopped process, which can write nothing once it goes on', async () => {
    const slots = [{ pool: 'nmap', instance: 'a', limit: 1 }];
    const brisk = { ...settings, leaseMs: 600 };
    const observer = await createSqliteQueue({ folder, clock: systemClock, settings: brisk });
    const { scan } = await queue.submit(newScan());
    const child = start('hold', { slots });
    await once(child, 'message');
    child.kill('SIGSTOP');
    const { signal } = new AbortController();
    let heir: Claim | undefined;
    for (let looks = 0; !heir && looks < 200; looks++) {
      heir = await observer.claim('heir', slots);
      if (!heir) await observer.waitForWork(signal, 50);
    }
    expect([heir?.scan.scanId, heir?.epoch]).toEqual([scan.scanId, 2]);
    child.kill('SIGCONT');
    child.send('finish');
    const [answer] = await once(child, 'message');
    expect(answer).toEqual({ finished: false });
    expect((await observer.get('local', scan.scanId))?.state).toBe('running');
    await observer.close();
  });
});
