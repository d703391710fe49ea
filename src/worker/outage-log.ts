import { AppError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';

/** A log to which one outage of the queue is one line when it begins and one when it is over. */
export interface OutageLog {
  readonly log: Log;
  /** The queue has answered. */
  readonly answered: () => void;
}

/** A trouble of the disk may last for days, and the log may lie on that disk. */
const REPEAT_MS = 60_000;
const MOST_TROUBLES = 100;

/**
 * Every scan and every beat of a worker meets an outage again and again: their warnings with `queue_unavailable` become
 * one, with the code and without a stack; the same warning about the disk is told once a minute. The others are there at
 * level debug.
 */
export function createOutageLog(log: Log, clock: Clock): OutageLog {
  let since: number | undefined;
  const toldAt = new Map<string, number>();
  /** Whether the same was told within the last minute, by whichever scan. */
  const isRepeated = ({ code, message: why }: AppError, message: string): boolean => {
    if (code !== 'storage_full' && code !== 'storage_unusable') return false;
    const trouble = `${code} ${why} ${message}`;
    const last = toldAt.get(trouble);
    const now = clock.monotonic();
    if (last !== undefined && now - last < REPEAT_MS) return true;
    if (toldAt.size >= MOST_TROUBLES) toldAt.clear();
    toldAt.set(trouble, now);
    return false;
  };
  const quiet = (to: Log): Log => ({
    debug: (facts, message) => to.debug(facts, message),
    info: (facts, message) => to.info(facts, message),
    error: (facts, message) => to.error(facts, message),
    child: (facts) => quiet(to.child(facts)),
    warn(facts, message) {
      const error = 'err' in facts ? facts.err : undefined;
      if (!(error instanceof AppError) || error.code !== 'queue_unavailable') {
        if (error instanceof AppError && isRepeated(error, message)) to.debug(facts, message);
        else to.warn(facts, message);
        return;
      }
      if (since === undefined) {
        since = clock.monotonic();
        const { code, message: why } = error;
        log.warn({ code, why }, 'the queue does not answer; running scans go on, and it is asked again and again');
      }
      to.debug({ ...facts, err: undefined, code: error.code }, message);
    },
  });
  return {
    log: quiet(log),
    answered() {
      if (since === undefined) return;
      const seconds = Math.round((clock.monotonic() - since) / 1_000);
      since = undefined;
      log.info({ away_seconds: seconds }, 'the queue answers again');
    },
  };
}
