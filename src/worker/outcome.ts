import { AppError, errorFacts } from '../model/errors.ts';
import type { ScanError, ScanResult } from '../model/scan.ts';
import type { Claim, Outcome } from '../queue/queue.ts';
import type { WorkerDeps } from './deps.ts';
import { mayRetry, retryDelayMs } from './retry.ts';
import type { StopCause } from './stop.ts';

/** What becomes of an attempt that did not end by itself: the cause decides first, then the error's code. */
export function failureOutcome(
  deps: Pick<WorkerDeps, 'settings' | 'random'>,
  claim: Claim,
  cause: StopCause | undefined,
  error: unknown,
  result: ScanResult | undefined,
): Outcome {
  const kept = result === undefined ? {} : { result };
  if (cause === 'cancelled') return { kind: 'cancelled', ...kept };
  if (cause === 'shutdown') return { kind: 'released' };
  if (cause === 'timed_out') {
    const minutes = claim.scan.request.max_duration_minutes;
    const late = new AppError('scan_timed_out', `The scan did not end within ${minutes} minutes.`);
    return { kind: 'timed_out', error: scanError(late), ...kept };
  }
  const facts = errorFacts(error);
  const { attempt } = claim.scan;
  if (mayRetry(facts, attempt, deps.settings.retry)) {
    const delayMs = retryDelayMs(attempt, deps.settings.retry, deps.random);
    // The scan was done, only its report found no room: a scanner elsewhere is not made to scan twice.
    const keepsRun = facts.code === 'storage_full' || facts.code === 'storage_unavailable';
    return { kind: 'retry', error: scanError(error), delayMs, ...(keepsRun ? { keepsRun } : {}) };
  }
  return { kind: 'failed', error: scanError(error), ...kept };
}

function scanError(error: unknown): ScanError {
  const { code, message, hint, retryable } = errorFacts(error);
  return { code, message, hint, retryable };
}
