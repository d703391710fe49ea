import type { Progress } from '../model/scan.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { EngineProgress } from '../scanners/scanner.ts';

/** Progress is written at most this often per scan, so that a fast engine does not wear out the disk. */
const WRITE_EVERY_MS = 2_000;

export interface ProgressWriter {
  readonly report: (progress: EngineProgress) => void;
  /** Writes what is due no more; resolves when the last write is done. */
  readonly close: () => Promise<void>;
}

export interface ProgressWriterDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly hostsTotal: number;
  /** May fail: progress is shown, and nothing rests on it. */
  readonly write: (progress: Progress) => Promise<unknown>;
}

/** Makes an engine's progress monotone, stamps it and hands it on, the first at once and then the newest every two seconds. */
export function createProgressWriter({ clock, log, hostsTotal, write }: ProgressWriterDeps): ProgressWriter {
  let newest: Progress | undefined;
  let timer: NodeJS.Timeout | undefined;
  let lastWrite = Number.NEGATIVE_INFINITY;
  let pending: Promise<unknown> = Promise.resolve();
  let closed = false;

  const flush = (): void => {
    timer = undefined;
    if (!newest) return;
    lastWrite = clock.monotonic();
    const due = newest;
    pending = pending
      .then(() => write(due))
      .catch((error: unknown) => log.warn({ err: error }, 'progress could not be written'));
  };

  return {
    report(progress) {
      if (closed) return;
      newest = merged(newest, progress, hostsTotal, clock.now());
      if (timer) return;
      const wait = WRITE_EVERY_MS - (clock.monotonic() - lastWrite);
      if (wait <= 0) flush();
      else timer = setTimeout(flush, wait);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await pending;
    },
  };
}

function merged(before: Progress | undefined, now: EngineProgress, hostsTotal: number, at: number): Progress {
  const percent = Math.min(Math.max(now.percent, before?.percent ?? 0, 0), 100);
  return {
    percent: Math.round(percent * 10) / 10,
    phase: now.phase,
    hosts_done: Math.min(Math.max(now.hostsDone ?? 0, before?.hosts_done ?? 0), hostsTotal),
    hosts_total: hostsTotal,
    findings_so_far: Math.max(now.findingsSoFar ?? 0, before?.findings_so_far ?? 0),
    estimated: now.estimated,
    updated_at: new Date(at).toISOString(),
  };
}
