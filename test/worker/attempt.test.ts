import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Claim, ScanQueue } from '../../src/queue/queue.ts';
import type { RunContext } from '../../src/scanners/scanner.ts';
import { StopRequest } from '../../src/worker/stop.ts';
import { runAttempt } from '../../src/worker/attempt.ts';
import { runsUntilStopped, startParts, testsAll, writes, type Parts, type Play } from './start-worker.ts';

/** The worker is dead in the eyes of another, who goes on with its scan. */
async function takeOver(parts: Parts): Promise<Claim> {
  const other = await parts.other([parts.deps.workerId]);
  const claim = await other.claim('heir', parts.deps.registry.available());
  if (!claim) throw new Error('the lease has not passed on');
  return claim;
}

const never = (): AbortSignal => new AbortController().signal;

/** Submits, claims and runs one scan. */
async function runOne(parts: Parts, shutdown: AbortSignal = never()) {
  const scanId = await parts.submit();
  return await runNext(parts, scanId, shutdown);
}

async function runNext(parts: Parts, scanId: string, shutdown: AbortSignal = never()) {
  const claim = await parts.claim();
  const ended = await runAttempt(parts.deps, claim, shutdown);
  return { ended, claim, scan: await parts.record(scanId) };
}

/** Lets a test step in when the engine runs. */
function stage(play: Play): { readonly play: Play; readonly begun: Promise<RunContext> } {
  const { promise, resolve } = withResolvers<RunContext>();
  return {
    begun: promise,
    play(ctx, job) {
      resolve(ctx);
      return play(ctx, job);
    },
  };
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let settle: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: settle };
}

const deaf: Play = () => new Promise(() => {});

describe('an attempt', () => {
  it('ends completed with what the engine tested', async () => {
    const { ended, scan } = await runOne(await startParts(testsAll));
    expect(ended).toBe('completed');
    expect(scan).toMatchObject({ state: 'completed', attempt: 1, result: { verdict: 'complete', findings: 0 } });
  });

  it('is asked to stop when its time is over, and keeps what it had', async () => {
    const { scan } = await runOne(await startParts(runsUntilStopped, { minuteMs: 1 }));
    expect(scan).toMatchObject({
      state: 'timed_out',
      error: { code: 'scan_timed_out' },
      result: { verdict: 'partial' },
    });
  });

  it('has one time limit over all its attempts', async () => {
    const parts = await startParts(runsUntilStopped);
    const scanId = await parts.submit();
    expect(await runAttempt(parts.deps, await parts.claim(), AbortSignal.abort())).toBe('released');
    const dayLater = { ...systemClock, now: () => Date.now() + 7 * 24 * 3_600_000 };
    expect(await runAttempt({ ...parts.deps, clock: dayLater }, await parts.claim(), never())).toBe('timed_out');
    expect(await parts.record(scanId)).toMatchObject({ state: 'timed_out', attempt: 1 });
  });

  it('is timed out also when the engine returns what it had instead of throwing', async () => {
    const cutsShort: Play = async (ctx, job) =>
      await runsUntilStopped(ctx, job).catch(() => ({ whole: false, reason: 'time is over' }));
    const { scan } = await runOne(await startParts(cutsShort, { minuteMs: 1 }));
    expect(scan).toMatchObject({ state: 'timed_out', result: { verdict: 'partial' } });
  });

  it('is given up on when the engine does not stop when asked to', async () => {
    const { ended, scan } = await runOne(await startParts(deaf, { minuteMs: 1, hardStopMs: 20 }));
    expect(ended).toBe('timed_out');
    expect(scan).toMatchObject({
      state: 'timed_out',
      error: { code: 'scan_timed_out' },
      result: { verdict: 'not_tested' },
    });
  });

  it('gives a defect one more try and then fails, with nothing of its message', async () => {
    const parts = await startParts(async () => {
      throw new TypeError('secret words');
    });
    const first = await runOne(parts);
    expect(first.scan).toMatchObject({ state: 'retrying', error: { code: 'internal_error' } });
    await expect.poll(() => parts.queue.nextRetryInMs()).toBeLessThanOrEqual(0);
    const second = await runNext(parts, first.scan.scanId);
    expect(second.scan).toMatchObject({ state: 'failed', attempt: 2, error: { code: 'internal_error' } });
    expect(JSON.stringify(second.scan)).not.toMatch(/secret words/);
  });

  it('is asked about again by the policy, and fails when the scope was narrowed after the submit', async () => {
    const parts = await startParts(testsAll);
    const scanId = await parts.submit();
    parts.writePolicy('allow: [10.0.0.0/8]\n');
    const { scan } = await runNext(parts, scanId);
    expect(scan).toMatchObject({ state: 'failed', attempt: 1, error: { code: 'target_denied' } });
    expect(scan.error?.hint).toMatch(/Do not retry/);
  });

  it('is tried again when the policy file was half saved at that moment', async () => {
    const parts = await startParts(testsAll);
    const scanId = await parts.submit();
    parts.writePolicy('allow: [127.0.0.1, local');
    expect(await runAttempt(parts.deps, await parts.claim(), never())).toBe('retry');
    parts.writePolicy('allow: [127.0.0.1, localhost]\n');
    await expect.poll(() => parts.queue.nextRetryInMs()).toBeLessThanOrEqual(0);
    expect(await runAttempt(parts.deps, await parts.claim(), never())).toBe('completed');
    expect(await parts.record(scanId)).toMatchObject({ state: 'completed', attempt: 2 });
  });

  it('goes back to the queue when its instance was removed between claim and run, and runs on another', async () => {
    const parts = await startParts(testsAll);
    const scanId = await parts.submit();
    const claim = await parts.claim();
    parts.writeScanners('played:\n  - { instance_id: b, name: B, max_concurrent_scans: 1 }\n');
    await parts.deps.registry.reload();
    await parts.deps.registry.probeAll(never());
    expect(await runAttempt(parts.deps, claim, never())).toBe('released');
    expect(await parts.record(scanId)).toMatchObject({ state: 'queued', attempt: 0 });
    const { scan } = await runNext(parts, scanId);
    expect(scan).toMatchObject({ state: 'completed', attempt: 1, instance: 'b' });
  });
});

describe('an attempt that must go with its worker', () => {
  it('hands its scan back uncounted, with the checkpoint, and the next one adopts it', async () => {
    const previous: RunContext['previous'][] = [];
    const shutdown = new AbortController();
    const parts = await startParts(async (ctx, job) => {
      previous.push(ctx.previous);
      if (previous.length > 1) return await testsAll(ctx, job);
      await ctx.checkpoint({ phase: 'launched', reference: 'remote-7' });
      shutdown.abort();
      return await runsUntilStopped(ctx, job);
    });
    const first = await runOne(parts, shutdown.signal);
    expect(first.ended).toBe('released');
    expect(first.scan).toMatchObject({ state: 'queued', attempt: 0 });
    const second = await runNext(parts, first.scan.scanId);
    expect(second.scan).toMatchObject({ state: 'completed', attempt: 1, epoch: 2 });
    expect(previous).toMatchObject([undefined, { phase: 'launched', reference: 'remote-7' }]);
  });

  it('keeps its result when the engine came to its end all the same', async () => {
    const shutdown = new AbortController();
    const parts = await startParts(async (ctx, job) => {
      shutdown.abort();
      return await testsAll(ctx, job);
    });
    expect((await runOne(parts, shutdown.signal)).scan).toMatchObject({
      state: 'completed',
      result: { verdict: 'complete' },
    });
  });
});

describe('an attempt that is refused though an earlier one left something at the scanner', () => {
  /** A scan whose worker died after it had started something outside; what the next attempt sees goes to `seen`. */
  async function left() {
    const seen: unknown[] = [];
    const parts = await startParts(async (ctx, job) => {
      seen.push({ previous: ctx.previous?.reference, stop: ctx.signal.aborted && ctx.signal.reason });
      return await runsUntilStopped(ctx, job);
    });
    const scanId = await parts.submit();
    const dead = await parts.other([]);
    await dead.heartbeat('dead');
    const lost = await dead.claim('dead', parts.deps.registry.available());
    if (lost) await dead.checkpoint(lost, { phase: 'launched', reference: 'remote-7' });
    await dead.retire('dead');
    return { parts, scanId, seen };
  }

  it('lets the engine end that when the scan was cancelled', async () => {
    const { parts, scanId, seen } = await left();
    await parts.queue.cancel('local', scanId);
    const { scan } = await runNext(parts, scanId);
    expect(seen).toEqual([{ previous: 'remote-7', stop: new StopRequest('cancelled') }]);
    expect(scan).toMatchObject({ state: 'cancelled', result: { verdict: 'partial' } });
  });

  it('lets the engine end that when the policy denies the target now', async () => {
    const { parts, scanId, seen } = await left();
    parts.writePolicy('allow: [10.0.0.0/8]\n');
    const { scan } = await runNext(parts, scanId);
    expect(seen).toEqual([{ previous: 'remote-7', stop: new StopRequest('denied') }]);
    expect(scan).toMatchObject({ state: 'failed', error: { code: 'target_denied' } });
  });
});

describe('an attempt whose report may end the worker', () => {
  it('has noted that before it reads the first of it', async () => {
    const parts = await startParts(async (ctx, job) => {
      await ctx.checkpoint({ phase: 'launched', reference: 'remote-7' });
      return await testsAll(ctx, job);
    });
    const { findings } = parts.deps;
    let heir: Claim | undefined;
    const ingest: typeof findings.ingest = async (given) => {
      heir = await takeOver(parts);
      return await findings.ingest(given);
    };
    await parts.submit();
    const claim = await parts.claim();
    expect(await runAttempt({ ...parts.deps, findings: { ...findings, ingest } }, claim, never())).toBe('lost');
    expect(heir?.checkpoint).toMatchObject({ reference: 'remote-7', readIn: claim.epoch });
  });

  it('reads nothing when the lease has passed to another', async () => {
    const parts = await startParts(async (ctx, job) => {
      const whole = await testsAll(ctx, job);
      await takeOver(parts);
      return whole;
    });
    const { findings } = parts.deps;
    const ingest = vi.fn<typeof findings.ingest>((given) => findings.ingest(given));
    await parts.submit();
    const deps = { ...parts.deps, findings: { ...findings, ingest } };
    expect(await runAttempt(deps, await parts.claim(), never())).toBe('lost');
    expect(ingest).not.toHaveBeenCalled();
  });
});

describe('an attempt whose lease passed to another', () => {
  it('is stopped and writes nothing', async () => {
    const { play, begun } = stage(runsUntilStopped);
    const parts = await startParts(play);
    const scanId = await parts.submit();
    const claim = await parts.claim();
    const running = runAttempt(parts.deps, claim, never());
    const context = await begun;
    const heir = await takeOver(parts);
    await expect(context.checkpoint({ phase: 'launched', reference: 'late' })).rejects.toThrow('lease_lost');
    expect(await running).toBe('lost');
    const scan = await parts.record(scanId);
    expect(scan).toMatchObject({ state: 'running', epoch: heir.epoch });
    expect(scan.result).toBeUndefined();
  });

  it('hears of it within a second though the engine asks nothing', async () => {
    const { play, begun } = stage(runsUntilStopped);
    const parts = await startParts(play);
    await parts.submit();
    const running = runAttempt(parts.deps, await parts.claim(), never());
    await begun;
    await takeOver(parts);
    expect(await running).toBe('lost');
  });
});

/** An engine that writes on and on, and only minds back-pressure. */
const writesMuch: Play = async (ctx) => {
  for (let n = 0; n < 1_000; n += 1) {
    if (ctx.report.write(`line ${n} tested\n`)) continue;
    await new Promise((resolve) => ctx.report.once('drain', resolve));
  }
  return { whole: true };
};

/** An engine that hears nothing of its report and waits for its scanner. */
const writesThenWaits: Play = async (ctx) => {
  ctx.report.write('x'.repeat(2_000));
  if (!ctx.signal.aborted)
    await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve, { once: true }));
  throw ctx.signal.reason;
};

describe('the raw report of an attempt', () => {
  it.each([
    ['minds back-pressure', writesMuch],
    ['waits for its scanner', writesThenWaits],
    [
      'minds each write',
      async (ctx: RunContext) => {
        for (let n = 0; n < 100; n += 1) await writes(ctx, 'x'.repeat(100));
        return { whole: true };
      },
    ],
  ])('may not be larger than the cap; an engine that %s is stopped', async (_title, play: Play) => {
    const { scan } = await runOne(await startParts(play, { maxRawReportBytes: 1_000, hardStopMs: 100 }));
    expect(scan).toMatchObject({ state: 'failed', attempt: 1, error: { code: 'report_unreadable' } });
  });

  it('meets a full disk: the scan waits for another try and is not lost', async () => {
    const full = new AppError('storage_full', 'The disk of the data folder is full.');
    const parts = await startParts(writesMuch, { hardStopMs: 100 });
    const files = {
      ...parts.deps.files,
      openReport: async () => ({
        writable: new Writable({ write: (_chunk, _encoding, done) => done(full) }).on('error', () => {}),
        close: () => Promise.reject(full),
      }),
    };
    const scanId = await parts.submit();
    expect(await runAttempt({ ...parts.deps, files }, await parts.claim(), never())).toBe('retry');
    expect(await parts.record(scanId)).toMatchObject({ state: 'retrying', error: { code: 'storage_full' } });
    await expect.poll(() => parts.queue.nextRetryInMs()).toBeLessThanOrEqual(0);
    const claim = await parts.claim();
    expect(claim.epoch).toBe(2);
  });
});

describe('an attempt while the queue cannot be written', () => {
  const unavailable = new AppError('queue_unavailable', 'The queue is locked.');

  /** A queue whose `name` fails this often. */
  const failing =
    (name: 'progress' | 'checkpoint' | 'finish' | 'reading', times: number) =>
    (queue: ScanQueue): { queue: ScanQueue } => {
      let left = times;
      const real: ScanQueue[typeof name] = queue[name];
      const call = async (...words: Parameters<typeof real>): Promise<boolean> => {
        left -= 1;
        if (left >= 0) throw unavailable;
        return await Reflect.apply(real, queue, words);
      };
      return { queue: { ...queue, [name]: call } };
    };

  it('goes on without its progress', async () => {
    const reports: Play = async (ctx, job) => {
      ctx.progress({ percent: 10, phase: 'playing', estimated: true });
      return await testsAll(ctx, job);
    };
    const { scan } = await runOne(await startParts(reports, {}, failing('progress', 5)));
    expect(scan).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it('waits with a checkpoint, while what was started outside goes on', async () => {
    const started: string[] = [];
    const startsOutside: Play = async (ctx, job) => {
      await ctx.checkpoint({ phase: 'intent', reference: 'marker' });
      started.push('remote-7');
      await ctx.checkpoint({ phase: 'launched', reference: 'remote-7' });
      return await testsAll(ctx, job);
    };
    const { scan } = await runOne(await startParts(startsOutside, {}, failing('checkpoint', 3)));
    expect(scan).toMatchObject({ state: 'completed', attempt: 1 });
    expect(started).toEqual(['remote-7']);
  });

  it('does not wait with a checkpoint when it has to stop', async () => {
    const shutdown = new AbortController();
    const play: Play = async (ctx, job) => {
      setTimeout(() => shutdown.abort(), 100);
      await ctx.checkpoint({ phase: 'intent', reference: 'marker' });
      return await testsAll(ctx, job);
    };
    const { ended } = await runOne(await startParts(play, {}, failing('checkpoint', 1_000)), shutdown.signal);
    expect(ended).toBe('released');
  });

  it('gives a scan back that it had to take for lost and that nobody took', async () => {
    const lies = (queue: ScanQueue) => ({
      queue: { ...queue, renew: () => Promise.resolve({ owned: false, cancel: false }) },
    });
    const { ended, scan } = await runOne(await startParts(runsUntilStopped, {}, lies));
    expect(ended).toBe('released');
    expect(scan).toMatchObject({ state: 'queued' });
  });

  it('reads the report though that could not be noted', async () => {
    const { scan } = await runOne(await startParts(testsAll, {}, failing('reading', 1)));
    expect(scan).toMatchObject({ state: 'completed', attempt: 1, result: { verdict: 'complete' } });
  });

  it('writes its outcome as soon as it can be written', async () => {
    const { ended, scan } = await runOne(await startParts(testsAll, {}, failing('finish', 2)));
    expect(ended).toBe('completed');
    expect(scan).toMatchObject({ state: 'completed', result: { verdict: 'complete' } });
  });

  it('gives up on its outcome when the worker must go: the next one has the scan', async () => {
    const shutdown = new AbortController();
    const parts = await startParts(testsAll, {}, failing('finish', 1_000));
    const scanId = await parts.submit();
    const running = runAttempt(parts.deps, await parts.claim(), shutdown.signal);
    shutdown.abort();
    expect(await running).toBe('lost');
    expect(await parts.record(scanId)).toMatchObject({ state: 'running' });
  });
});
