import type { WorkerDeps } from './deps.ts';
import { runWorker } from './worker.ts';

/** The one place of a worker at a queue that takes only one. */
export interface Seat {
  /** True when this process holds it afterwards. */
  take(): Promise<boolean>;
  /** Leaves it unless any scan (of these pools) is not final; both in one step. */
  releaseIfIdle(pools?: readonly string[]): Promise<boolean>;
  release(): Promise<void>;
}

/** Runs the worker as long as this process holds the seat. False when another one has it. */
export async function occupySeat(deps: WorkerDeps, seat: Seat, signal: AbortSignal): Promise<boolean> {
  if (!(await seat.take())) return false;
  const lost = new AbortController();
  const guard = setInterval(() => {
    seat.take().then(
      (held) => held || lost.abort(),
      (error: unknown) => deps.log.warn({ err: error }, 'seat could not be confirmed'),
    );
  }, deps.settings.heartbeatMs);
  // What waits for other pools is for another worker, which cannot come while this one has the seat.
  const mayLeave = (): Promise<boolean> => seat.releaseIfIdle(deps.settings.pools);
  try {
    await runWorker(deps, { signal: AbortSignal.any([signal, lost.signal]), mayLeave });
    return true;
  } finally {
    clearInterval(guard);
    await seat.release();
  }
}
