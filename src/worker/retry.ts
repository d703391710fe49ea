import type { ErrorFacts } from '../model/errors.ts';

export interface RetrySettings {
  /** Attempts in all, the first included. */
  readonly maxAttempts: number;
  readonly baseMs: number;
  readonly capMs: number;
}

/** A defect may be a fluke: it gets one more try. */
const UNKNOWN_ATTEMPTS = 2;

/** Whether attempt number `attempt` (1 = first) may be followed by another after this error. */
export function mayRetry({ code, retryable }: ErrorFacts, attempt: number, { maxAttempts }: RetrySettings): boolean {
  if (!retryable) return false;
  return attempt < (code === 'internal_error' ? Math.min(UNKNOWN_ATTEMPTS, maxAttempts) : maxAttempts);
}

/**
 * Wait before the next attempt, in milliseconds.
 *
 * Full-jitter exponential back-off: scans that failed together do not come back together.
 * Source: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
 *
 * @param attempt 1 after the first failure.
 * @param random Uniform in [0, 1).
 */
export function retryDelayMs(attempt: number, { baseMs, capMs }: RetrySettings, random: () => number): number {
  return Math.floor(random() * Math.min(baseMs * 2 ** (attempt - 1), capMs));
}
