import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import type { ScanFiles } from '../../src/findings/artefacts.ts';
import { runAttempt } from '../../src/worker/attempt.ts';
import { runsUntilStopped, startParts, TENANT, testsAll, type Parts } from './start-worker.ts';

const never = new AbortController().signal;
const AWAY = new AppError('storage_unavailable', 'The store does not answer.');
const REFUSED = new AppError('storage_unusable', 'The store refuses.');

/** A store whose `share` does as the test says; every call is written down. */
function sharing(parts: Parts, share: (call: number, ...words: Parameters<ScanFiles['share']>) => Promise<void>) {
  const calls: { readonly paths: readonly string[]; readonly state: string }[] = [];
  const files: ScanFiles = {
    ...parts.deps.files,
    async share(scanId, artefacts, signal) {
      const { state } = await parts.record(scanId);
      calls.push({ paths: artefacts.map(({ path }) => path), state });
      await share(calls.length, scanId, artefacts, signal);
    },
  };
  return { calls, deps: { ...parts.deps, files } };
}

describe('what an attempt found', () => {
  it('is shared before its record says that there is something', async () => {
    const parts = await startParts(testsAll);
    const { calls, deps } = sharing(parts, async () => undefined);
    const scanId = await parts.submit();
    expect(await runAttempt(deps, await parts.claim(), never)).toBe('completed');
    expect(calls).toEqual([{ paths: ['1/report.raw', expect.stringMatching(/^1\/findings-/)], state: 'running' }]);
    expect(await parts.record(scanId)).toMatchObject({ state: 'completed' });
  });

  it('waits for a store that is away', async () => {
    const parts = await startParts(testsAll);
    const { calls, deps } = sharing(parts, async (call) => {
      if (call === 1) throw AWAY;
    });
    await parts.submit();
    expect(await runAttempt(deps, await parts.claim(), never)).toBe('completed');
    expect(calls).toHaveLength(2);
  });

  it('is left to another attempt when the store stays away, which takes over the run at the scanner', async () => {
    const parts = await startParts(
      async (ctx, job) => {
        await ctx.checkpoint({ phase: 'launched', reference: 'there' });
        return await testsAll(ctx, job);
      },
      { sharePatienceMs: 0 },
    );
    const { deps } = sharing(parts, () => Promise.reject(AWAY));
    const scanId = await parts.submit();
    expect(await runAttempt(deps, await parts.claim(), never)).toBe('retry');
    const record = await parts.record(scanId);
    expect(record).toMatchObject({ state: 'retrying', error: { code: 'storage_unavailable', retryable: true } });
    expect(record.result).toBeUndefined();
    await expect.poll(() => parts.queue.nextRetryInMs()).toBeLessThanOrEqual(0);
    const next = await parts.claim();
    expect(next.checkpoint).toMatchObject({ phase: 'launched', reference: 'there' });
    expect(await runAttempt(parts.deps, next, never)).toBe('completed');
  });

  it('is lost with a store that refuses it, and the scan says why', async () => {
    const parts = await startParts(testsAll);
    const { deps } = sharing(parts, () => Promise.reject(REFUSED));
    const scanId = await parts.submit();
    expect(await runAttempt(deps, await parts.claim(), never)).toBe('failed');
    expect(await parts.record(scanId)).toMatchObject({ error: { code: 'storage_unusable' } });
  });

  it('keeps nobody waiting who cancels meanwhile', async () => {
    const parts = await startParts(testsAll);
    const { deps } = sharing(parts, async (call, scanId) => {
      if (call === 1) await parts.queue.cancel(TENANT, scanId, 'enough');
      throw AWAY;
    });
    const scanId = await parts.submit();
    expect(await runAttempt(deps, await parts.claim(), never)).toBe('cancelled');
    expect(await parts.record(scanId)).toMatchObject({ state: 'cancelled' });
  });

  it('of a scan that ran out of time waits for the store, too', async () => {
    const parts = await startParts(runsUntilStopped, { minuteMs: 20 });
    const { calls, deps } = sharing(parts, async (call) => {
      if (call === 1) throw AWAY;
    });
    const scanId = await parts.submit({ max_duration_minutes: 1 });
    expect(await runAttempt(deps, await parts.claim(), never)).toBe('timed_out');
    expect(calls).toHaveLength(2);
    expect(await parts.record(scanId)).toMatchObject({ state: 'timed_out', result: { verdict: 'partial' } });
  });

  it('goes back to the queue when the worker must go before the store is there', async () => {
    const parts = await startParts(testsAll);
    const shutdown = new AbortController();
    const { deps } = sharing(parts, (_call, _scan, _artefacts, signal) => {
      shutdown.abort();
      return Promise.reject(signal.reason);
    });
    const scanId = await parts.submit();
    expect(await runAttempt(deps, await parts.claim(), shutdown.signal)).toBe('released');
    expect(await parts.record(scanId)).toMatchObject({ state: 'queued' });
  });
});
