import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newScanId } from '../../src/model/ids.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { markerOf } from '../../src/platform/orphans.ts';
import type { QueueOperations } from '../../src/queue/operations.ts';
import { openSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import { endLeftovers } from '../../src/worker/leftovers.ts';
import { occupySeat } from '../../src/worker/occupy-seat.ts';
import { withOptions } from '../../src/worker/options.ts';
import { runWorker } from '../../src/worker/worker.ts';
import { startParts, testsAll, TENANT, type Parts, type Play } from './start-worker.ts';

const TWO_POOLS = `played:
  - { instance_id: a, name: A, max_concurrent_scans: 4 }
played_2:
  - { instance_id: b, name: B, max_concurrent_scans: 4 }
`;

/** Plays that all go on until they are let; `begun` resolves for each. */
function held() {
  let letGo: () => void = () => {};
  const free = new Promise<void>((resolve) => (letGo = resolve));
  let count = 0;
  const play: Play = async (ctx, job) => {
    count += 1;
    await free;
    return await testsAll(ctx, job);
  };
  return { play, letGo: () => letGo(), begun: () => count };
}

/** What another process sees of the queue. */
async function operationsOf({ configFolder }: Parts): Promise<QueueOperations> {
  const settings = { idempotencyHours: 48, queuedExpiryHours: 168, reserveBytes: 0 };
  const opened = await openSqliteQueue({ folder: configFolder, clock: systemClock, settings, isAlive: () => true });
  onTestFinished(() => opened.queue.close());
  return opened.operations;
}

const stateOf = async (parts: Parts, scanId: string) => (await parts.record(scanId)).state;

/** A process of an engine, as a worker would have started it for an attempt. */
async function marked(scanId: string, epoch: number) {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    env: { ...markerOf(scanId, epoch) },
    detached: true,
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const gone = once(child, 'exit');
  await once(child, 'spawn');
  return { gone, isGone: () => (child.exitCode ?? child.signalCode) !== null };
}

describe('a worker', () => {
  it('is seen with what it runs, then as draining, then not any more', async () => {
    const { play, begun, letGo } = held();
    const parts = await startParts(play, { pools: ['played'], maxConcurrentScans: 3 });
    const operations = await operationsOf(parts);
    await parts.submit();
    const stop = new AbortController();
    const over = runWorker(parts.deps, { signal: stop.signal });
    await expect.poll(begun).toBe(1);
    const facts = { concurrency: 3, pools: ['played'], pid: process.pid, version: '0.0.0', running: 1 };
    expect(await operations.workers()).toMatchObject([{ ...facts, draining: false }]);
    stop.abort();
    await expect.poll(async () => (await operations.workers())[0]?.draining).toBe(true);
    letGo();
    await over;
    expect(await operations.workers()).toEqual([]);
  });

  it('runs as many at once as it was asked to', async () => {
    const { play, begun, letGo } = held();
    const parts = await startParts(play);
    const scans = [await parts.submit(), await parts.submit(), await parts.submit()];
    const stop = new AbortController();
    const over = runWorker(withOptions(parts.deps, { leaveWhenIdle: false, concurrency: 2 }), { signal: stop.signal });
    await expect.poll(begun).toBe(2);
    expect(await Promise.all(scans.map((scanId) => stateOf(parts, scanId)))).toEqual(['running', 'running', 'queued']);
    letGo();
    await expect.poll(() => stateOf(parts, scans[2] ?? '')).toBe('completed');
    stop.abort();
    await over;
  });

  it('takes scans of its pools alone, and leaves its seat to one for the others', async () => {
    const parts = await startParts(testsAll, { idleExitMs: 1 });
    parts.writeScanners(TWO_POOLS);
    await parts.deps.registry.reload();
    await parts.deps.registry.probeAll(new AbortController().signal);
    const [own, other] = [await parts.submit({ pool: 'played_2' }), await parts.submit()];
    const settings = { idempotencyHours: 48, queuedExpiryHours: 168, reserveBytes: 0 };
    const opened = await openSqliteQueue({ folder: parts.configFolder, clock: systemClock, settings });
    onTestFinished(() => opened.queue.close());
    const { seat } = opened;
    const limited = withOptions(parts.deps, { leaveWhenIdle: true, pools: ['played_2'] });
    expect(await occupySeat(limited, seat, new AbortController().signal)).toBe(true);
    expect([await stateOf(parts, own), await stateOf(parts, other)]).toEqual(['completed', 'queued']);
    expect(await seat.holder()).toBeUndefined();
  });

  it('among others only ends what attempts left that no record refers to', async () => {
    const parts = await startParts(testsAll);
    const scanId = await parts.submit();
    const claim = await parts.claim(); // of another worker, which runs it
    const [now, before, foreign] = [
      await marked(scanId, claim.epoch),
      await marked(scanId, claim.epoch - 1),
      await marked(newScanId(), 1),
    ];
    await endLeftovers({ queue: parts.queue, log: silentLog, isAlone: false });
    expect(await before.gone).toEqual([null, 'SIGKILL']);
    expect([now.isGone(), foreign.isGone()]).toEqual([false, false]);
    expect((await parts.queue.get(TENANT, scanId))?.state).toBe('running');
  });
});
