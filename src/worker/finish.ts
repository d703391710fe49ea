import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../model/errors.ts';
import type { Claim, Outcome } from '../queue/queue.ts';
import type { WorkerDeps } from './deps.ts';

/** How long after a refusal an outcome is tried again. */
const TRY_AGAIN_MS = 500;

/**
 * Writes an outcome, again and again while the store refuses: nobody else would, because the scan belongs to this
 * worker as long as it lives. False when the claim had passed to another.
 * @param shutdown Aborts when the worker must go; the scan is then lost with it, and the next worker has it.
 * @throws AppError queue_unavailable, storage_full once `shutdown` has aborted; any defect at once
 */
export async function finishSurely(
  { queue, log }: Pick<WorkerDeps, 'queue' | 'log'>,
  claim: Claim,
  outcome: Outcome,
  shutdown: AbortSignal,
): Promise<boolean> {
  for (;;) {
    try {
      return await queue.finish(claim, outcome);
    } catch (error) {
      if (shutdown.aborted || !mayPass(error)) throw error;
      log.warn({ err: error }, 'outcome could not be written yet');
      await delay(TRY_AGAIN_MS, undefined, { signal: shutdown }).catch(() => undefined);
    }
  }
}

const mayPass = (error: unknown): boolean =>
  error instanceof AppError && (error.code === 'queue_unavailable' || error.code === 'storage_full');
