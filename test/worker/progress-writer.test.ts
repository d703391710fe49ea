import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Progress } from '../../src/model/scan.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog } from '../../src/platform/log.ts';
import { createProgressWriter } from '../../src/worker/progress-writer.ts';

const step = (percent: number, more: { hostsDone?: number; findingsSoFar?: number } = {}) => ({
  percent,
  phase: 'playing',
  estimated: false,
  ...more,
});

describe('the progress of an attempt', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function writer(fails = false) {
    const written: { at: number; progress: Progress }[] = [];
    const made = createProgressWriter({
      clock: systemClock,
      log: silentLog,
      hostsTotal: 4,
      async write(progress) {
        written.push({ at: Date.now(), progress });
        if (fails) throw new Error('no');
      },
    });
    return { ...made, written };
  }

  it('is written at once and then at most every two seconds, the newest each time', async () => {
    const { report, close, written } = writer();
    const startedAt = Date.now();
    for (let percent = 1; percent <= 50; percent += 1) {
      report(step(percent));
      await vi.advanceTimersByTimeAsync(100);
    }
    await close();
    expect(written.map(({ at, progress }) => [at - startedAt, progress.percent])).toEqual([
      [0, 1],
      [2_000, 20],
      [4_000, 40],
    ]);
  });

  it('is never more often than that, never goes back and never leaves its bounds', async () => {
    const steps = fc.array(
      fc.record({
        waitMs: fc.integer({ min: 0, max: 5_000 }),
        percent: fc.double({ min: -50, max: 150, noNaN: true }),
        hostsDone: fc.integer({ min: -1, max: 9 }),
        findingsSoFar: fc.nat(20),
      }),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (asked) => {
        const { report, close, written } = writer();
        for (const { waitMs, percent, ...more } of asked) {
          report(step(percent, more));
          await vi.advanceTimersByTimeAsync(waitMs);
        }
        await close();
        const shown = written.map(({ progress }) => progress);
        for (const [index, { at, progress }] of written.entries()) {
          const before = written[index - 1];
          if (before) expect(at - before.at).toBeGreaterThanOrEqual(2_000);
          expect(progress.percent).toBeGreaterThanOrEqual(before?.progress.percent ?? 0);
          expect(progress.hosts_done).toBeGreaterThanOrEqual(before?.progress.hosts_done ?? 0);
          expect(progress.findings_so_far).toBeGreaterThanOrEqual(before?.progress.findings_so_far ?? 0);
        }
        expect(shown.every(({ percent, hosts_done }) => percent <= 100 && hosts_done <= 4)).toBe(true);
        expect(shown.length).toBeGreaterThanOrEqual(Math.min(1, asked.length));
      }),
      { numRuns: 50 },
    );
  });

  it('may fail to be written without any harm to the attempt', async () => {
    const { report, close, written } = writer(true);
    report(step(1));
    await vi.advanceTimersByTimeAsync(2_000);
    report(step(2));
    await close();
    expect(written.map(({ progress }) => progress.percent)).toEqual([1, 2]);
  });

  it('is written no more after the end', async () => {
    const { report, close, written } = writer();
    report(step(1));
    report(step(2));
    await close();
    report(step(3));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(written.map(({ progress }) => progress.percent)).toEqual([1]);
  });
});
