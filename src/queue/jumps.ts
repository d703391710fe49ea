import type { Clock } from '../platform/clock.ts';

/** Less is the ordinary work of time synchronisation. */
const LEAST_JUMP_MS = 60_000;

/** A leap of the wall clock from `from` to `from + byMs`, in which nobody waited. */
export interface Jump {
  readonly from: number;
  readonly byMs: number;
}

/**
 * Tells when the wall clock has leapt ahead of the monotonic one since the last look: it was set, or the machine slept.
 * What happened before the first look cannot be seen.
 */
export function createJumps(clock: Clock): () => Jump | undefined {
  let wall = clock.now();
  let steady = clock.monotonic();
  return () => {
    const [now, passed] = [clock.now(), clock.monotonic() - steady];
    const from = wall + passed;
    [wall, steady] = [now, steady + passed];
    return now - from >= LEAST_JUMP_MS ? { from, byMs: now - from } : undefined;
  };
}
