import { AppError } from '../../../model/errors.ts';
import type { RunContext } from '../../scanner.ts';
import type { NessusInstance } from './instance.ts';
import { lostInOutage } from './lost.ts';

const LOOK_MS = 30_000;

/** What a scanner that is away or busy fails with. */
export const isAway = (error: unknown): boolean =>
  error instanceof AppError && (error.code === 'scanner_unreachable' || error.code === 'rate_limited');

/**
 * Does what is safe to do again until the scanner answers: an attempt that takes over a scan must not give up on it
 * because the scanner is away for a while, or the next one would start another.
 * @throws AppError remote_scan_lost after `outage_minutes`; what `work` fails with otherwise; the signal's reason
 */
export async function patiently<T>(
  { timing, options }: NessusInstance,
  ctx: Pick<RunContext, 'signal' | 'progress'>,
  work: () => Promise<T>,
): Promise<T> {
  const since = timing.monotonic();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (!isAway(error)) throw error;
      if (timing.monotonic() - since > options.outageMs) {
        throw lostInOutage(options.outageMs, error);
      }
      ctx.progress({ percent: 0, phase: 'waiting for the scanner to answer again', estimated: true });
      await timing.sleep(LOOK_MS, ctx.signal);
    }
  }
}
