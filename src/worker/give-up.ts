import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';

/** When an engine last said that it is at work. */
export interface LifeSign {
  note(): void;
  /** Milliseconds since the last one. */
  silentMs(): number;
}

export function createLifeSign(clock: Clock): LifeSign {
  let at = clock.monotonic();
  return {
    note() {
      at = clock.monotonic();
    },
    silentMs: () => clock.monotonic() - at,
  };
}

/** A scanner far away may take minutes to stop; one that reports all the time and never stops is none that stops. */
const PATIENCE = 60;

/**
 * An engine that does not stop when told is left alone after a while without a sign of life; its writes are fenced off.
 */
export async function givenUp(
  stop: AbortSignal,
  hardStopMs: number,
  alive: LifeSign,
  over: AbortSignal,
): Promise<{ readonly error: AppError }> {
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', () => resolve(), { once: true });
  });
  for (let waitMs = hardStopMs, left = PATIENCE; waitMs > 0 && left > 0 && !over.aborted; left -= 1) {
    await delay(waitMs, undefined, { signal: over }).catch(() => undefined);
    waitMs = Math.ceil(hardStopMs - alive.silentMs());
  }
  return { error: new AppError('scan_aborted', 'The engine did not stop in time and was given up on.') };
}
