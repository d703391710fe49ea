import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../model/errors.ts';
import type { Claim, Outcome } from '../queue/queue.ts';
import type { WorkerDeps } from './deps.ts';
import { failureOutcome } from './outcome.ts';
import type { StopButton } from './stop.ts';

/** How long after a failure the store is asked again. */
const AGAIN_MS = 2_000;
/** How long a store may be away before the attempt is given up. A scan takes longer than most outages. */
const PATIENCE_MS = 10 * 60_000;

export interface Sharing {
  readonly button: StopButton;
  /** Aborts when the worker must go. */
  readonly shutdown: AbortSignal;
}

/**
 * Stores what an outcome refers to, before it is written: from then on every server reads it. Where the store is away
 * for long, the outcome becomes that of a failed attempt, which keeps its run at the scanner.
 */
export async function shareSurely(
  deps: WorkerDeps,
  claim: Claim,
  outcome: Outcome,
  sharing: Sharing,
): Promise<Outcome> {
  const result = 'result' in outcome ? outcome.result : undefined;
  if (result === undefined) return outcome;
  const { clock, files, log, settings } = deps;
  const startedAt = clock.monotonic();
  for (;;) {
    try {
      await files.share(claim.scan.scanId, result.artefacts, sharing.shutdown);
      return outcome;
    } catch (error) {
      if (sharing.shutdown.aborted) return { kind: 'released' };
      const isOver = clock.monotonic() - startedAt >= (settings.sharePatienceMs ?? PATIENCE_MS);
      if (isOver || mustGo(sharing.button, outcome) || !mayPass(error))
        return failureOutcome(deps, claim, sharing.button.cause(), error, undefined);
      log.warn({ err: error }, 'results cannot be stored yet');
      await delay(AGAIN_MS, undefined, { signal: sharing.shutdown }).catch(() => undefined);
    }
  }
}

/** Nobody waits for what a cancelled attempt found. A stop that made this very outcome is no reason to lose it. */
const mustGo = (button: StopButton, { kind }: Outcome): boolean =>
  button.cause() === 'lease_lost' || (button.cause() === 'cancelled' && kind !== 'cancelled');

const mayPass = (error: unknown): boolean =>
  error instanceof AppError && (error.code === 'storage_unavailable' || error.code === 'storage_full');
