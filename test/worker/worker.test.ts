import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { newScanId } from '../../src/model/ids.ts';
import { markerOf } from '../../src/platform/orphans.ts';
import { runWorker } from '../../src/worker/worker.ts';
import { runsUntilStopped, startParts, testsAll, TENANT, type Parts, type Play } from './start-worker.ts';

/** A play that tells when it has begun, and ends when it is let. */
function held() {
  let begin: () => void = () => {};
  let letGo: () => void = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const let_ = new Promise<void>((resolve) => (letGo = resolve));
  const play: Play = async (ctx, job) => {
    begin();
    await let_;
    return await testsAll(ctx, job);
  };
  return { play, begun, letGo: () => letGo() };
}

async function ended(parts: Parts, scanId: string): Promise<string> {
  await expect.poll(async () => (await parts.record(scanId)).finishedAt).toBeDefined();
  return (await parts.record(scanId)).state;
}

/** A process of an engine, as a worker would have started it. */
async function marked(scanId: string) {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    env: { ...markerOf(scanId, 1) },
    detached: true,
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const gone = once(child, 'exit');
  await once(child, 'spawn');
  return { child, gone };
}

describe('the worker', () => {
  it('first ends what dead workers left running for scans of its queue, and nothing else', async () => {
    const parts = await startParts(testsAll, { idleExitMs: 1 });
    const scanId = await parts.submit();
    await parts.queue.cancel(TENANT, scanId);
    const [left, foreign] = [await marked(scanId), await marked(newScanId())];
    await runWorker(parts.deps, { signal: new AbortController().signal, mayLeave: async () => true });
    expect(await left.gone).toEqual([null, 'SIGKILL']);
    expect(foreign.child.exitCode ?? foreign.child.signalCode).toBeNull();
  });

  it('runs what was waiting and what comes while it runs, then goes when it may', async () => {
    const parts = await startParts(testsAll, { idleExitMs: 1 });
    const waiting = await parts.submit();
    let asked = 0;
    const late: string[] = [];
    await runWorker(parts.deps, {
      signal: new AbortController().signal,
      async mayLeave() {
        asked += 1;
        if (asked > 1) return true;
        late.push(await parts.submit());
        return false;
      },
    });
    const states = await Promise.all([waiting, ...late].map(async (id) => (await parts.record(id)).state));
    expect(states).toEqual(['completed', 'completed']);
    expect((await parts.queue.status(TENANT)).workers).toBe(0);
  });

  it('lets running scans end when it is asked to go, and takes no new one', async () => {
    const { play, begun, letGo } = held();
    const parts = await startParts(play, { maxConcurrentScans: 1 });
    const [running, waiting] = [await parts.submit(), await parts.submit()];
    const stop = new AbortController();
    const over = runWorker(parts.deps, { signal: stop.signal });
    await begun;
    stop.abort();
    letGo();
    await over;
    expect(await parts.record(running)).toMatchObject({ state: 'completed' });
    expect(await parts.record(waiting)).toMatchObject({ state: 'queued', attempt: 0 });
  });

  it('hands back what does not end within the grace time, uncounted', async () => {
    let begin: () => void = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const parts = await startParts(
      (ctx, job) => {
        begin();
        return runsUntilStopped(ctx, job);
      },
      { graceMs: 1 },
    );
    const scanId = await parts.submit();
    const stop = new AbortController();
    const over = runWorker(parts.deps, { signal: stop.signal });
    await begun;
    stop.abort();
    await over;
    expect(await parts.record(scanId)).toMatchObject({ state: 'queued', attempt: 0 });
  });

  it('goes on when the queue cannot be read for a while', async () => {
    let failures = 2;
    const fails = async (): Promise<never> => {
      failures -= 1;
      throw new AppError('queue_unavailable', 'The queue is locked.');
    };
    const parts = await startParts(testsAll, { idleExitMs: 1 }, (queue) => ({
      queue: { ...queue, claim: (worker, slots) => (failures > 0 ? fails() : queue.claim(worker, slots)) },
    }));
    const scanId = await parts.submit();
    let refusals = 1;
    await runWorker(parts.deps, {
      signal: new AbortController().signal,
      async mayLeave() {
        refusals -= 1;
        if (refusals >= 0) return await fails();
        return (await parts.queue.liveCount()) === 0;
      },
    });
    expect(await ended(parts, scanId)).toBe('completed');
  });
});
