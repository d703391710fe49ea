import { setTimeout as delay } from 'node:timers/promises';
import { AppError, type ErrorCode } from '../model/errors.ts';
import type { Claim, Outcome } from '../queue/queue.ts';
import type { Checkpoint } from '../scanners/scanner.ts';
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
  return await surely(() => queue.finish(claim, outcome), {
    mayPass: (code) => code === 'queue_unavailable' || code === 'storage_full',
    onRefusal: (error) => log.warn({ err: error }, 'outcome could not be written yet'),
    until: shutdown,
  });
}

/**
 * Keeps what an engine started outside, again and again while the queue is away: an attempt that failed for it would
 * end a scan that runs well. False when the claim had passed to another.
 * @param until Aborts when the run has to stop.
 * @throws AppError queue_unavailable once `until` has aborted; anything else at once
 */
export async function checkpointSurely(
  { queue, log }: Pick<WorkerDeps, 'queue' | 'log'>,
  claim: Claim,
  made: Checkpoint,
  until: AbortSignal,
): Promise<boolean> {
  return await surely(() => queue.checkpoint(claim, made), {
    mayPass: (code) => code === 'queue_unavailable',
    onRefusal: (error) => log.warn({ err: error }, 'checkpoint could not be written yet'),
    until,
  });
}

interface Patience {
  readonly mayPass: (code: ErrorCode) => boolean;
  readonly onRefusal: (error: AppError) => void;
  readonly until: AbortSignal;
}

async function surely<T>(write: () => Promise<T>, { mayPass, onRefusal, until }: Patience): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (until.aborted || !(error instanceof AppError) || !mayPass(error.code)) throw error;
      onRefusal(error);
      await delay(TRY_AGAIN_MS, undefined, { signal: until }).catch(() => undefined);
    }
  }
}
