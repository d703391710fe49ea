import { Redis } from 'ioredis';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../src/platform/clock.ts';
import type { ScanQueue } from '../../src/queue/queue.ts';
import { clientOptions } from '../../src/queue/redis/client-options.ts';
import { openRedisQueue } from '../../src/queue/redis/queue.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { newPrefix, REDIS_SETTINGS } from '../queue/redis-harness.ts';
import { newFolder } from '../queue/sqlite-harness.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';

const PROCESS = fileURLToPath(new URL('./redis-process.mjs', import.meta.url));
const T = 'local';
const settings = { ...REDIS_SETTINGS, maxLostLeases: 1_000, leaseMs: 1_200 };
const Step = z.object({ step: z.string(), active: z.record(z.string(), z.number()).optional() });
const Finished = z.object({ finished: z.boolean() });

describe('several worker processes on one Redis', () => {
  let server: RedisServer;
  let folder: string;
  let starts: string;
  let prefix: string;
  let queue: ScanQueue;
  let ending: boolean;
  const children = new Set<ChildProcess>();
  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(async () => {
    ending = false;
    folder = newFolder();
    starts = join(folder, 'starts');
    writeFileSync(starts, '');
    prefix = newPrefix();
    const connect = (purpose: 'commands' | 'messages') => new Redis(server.url, clientOptions(purpose));
    ({ queue } = await openRedisQueue({ connect, prefix, clock: systemClock, settings, durability: 'reply' }));
  });
  afterEach(async () => {
    ending = true;
    for (const child of children) await kill(child);
    await queue.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterAll(async () => await server.close());

  const start = (role: 'claim' | 'hold', slots: readonly object[]): ChildProcess => {
    const given = { url: server.url, prefix, settings, starts, slots };
    const child = fork(PROCESS, [role, JSON.stringify(given)], { execArgv: [] });
    children.add(child);
    return child;
  };
  const kill = async (child: ChildProcess): Promise<void> => {
    children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };

  it('lose no scan, start none twice and exceed no limit when they and Redis itself are killed', async () => {
    const SCANS = 150;
    const limits: Readonly<Record<string, number>> = { 'nmap/a': 3, 'nmap/b': 1, 'nmap/c': 2 };
    const slots = ['a', 'b', 'c'].map((instance) => ({ pool: 'nmap', instance, limit: limits[`nmap/${instance}`] }));
    for (let n = 0; n < SCANS; n++) await queue.submit(newScan());
    const stepsSeen = new Set<string>();
    const exceeded: string[] = [];
    let [heardSteps, kills, restarts] = [0, 0, 0];
    let restarting: Promise<void> | undefined;

    const heard = (child: ChildProcess, message: unknown): void => {
      const { step, active = {} } = Step.parse(message);
      stepsSeen.add(step);
      for (const [instance, count] of Object.entries(active)) {
        if (count > (limits[instance] ?? 0)) exceeded.push(`${instance}: ${count}`);
      }
      heardSteps += 1;
      // Steps come in turns of five per scan: 17 has no part in that, so the kills come after any of them.
      if (heardSteps % 17 === 0 && kills < 20 && children.has(child)) {
        kills += 1;
        void kill(child).then(startClaimer);
      }
      if (heardSteps % 150 === 0 && restarts < 3 && !restarting) {
        restarts += 1;
        restarting = server.restart().finally(() => (restarting = undefined));
      }
    };
    const startClaimer = (): void => {
      if (ending) return;
      const child = start('claim', slots);
      child.on('message', (message) => heard(child, message));
    };
    for (let n = 0; n < 3; n++) startClaimer();

    const left = async (): Promise<number> => await queue.liveCount().catch(() => -1);
    await expect.poll(left, { timeout: 80_000, interval: 100 }).toBe(0);
    await restarting;
    const ended = (await queue.list(T, { limit: SCANS, state: 'completed' })).scans;
    expect(ended).toHaveLength(SCANS);
    for (const scan of ended) expect([scan.scanId, scan.result?.findings]).toEqual([scan.scanId, scan.epoch]);
    const started = readFileSync(starts, 'utf8').trim().split('\n');
    expect(started.toSorted()).toEqual(ended.map(({ scanId }) => scanId).toSorted());
    expect(exceeded).toEqual([]);
    expect(stepsSeen).toEqual(new Set(['claimed', 'intent', 'started', 'launched', 'finished']));
    expect([kills, restarts]).toEqual([20, 3]);
  }, 90_000);

  it('take the scan of one that stands frozen, whose write is refused when it goes on', async () => {
    const { scan } = await queue.submit(newScan());
    const slots = [{ pool: 'nmap', instance: 'a', limit: 1 }];
    const frozen = start('hold', slots);
    await once(frozen, 'message');
    frozen.kill('SIGSTOP');
    await expect
      .poll(async () => (await queue.claim('heir', slots))?.epoch, { timeout: 20_000, interval: 200 })
      .toBe(2);
    const before = await queue.get(T, scan.scanId);
    frozen.kill('SIGCONT');
    frozen.send('finish');
    const [message] = await once(frozen, 'message');
    expect(Finished.parse(message)).toEqual({ finished: false });
    expect(await queue.get(T, scan.scanId)).toEqual(before);
  }, 40_000);
});
