import type { Clock } from '../platform/clock.ts';

/**
 * Tells from its own observation alone that a process has stopped beating: wall clocks of two processes are never
 * compared, and neither a suspended machine nor a frozen observer can make a live one look frozen.
 */
export interface Watch {
  /** Call it now and then with the counter as it stands; true once it has stood still for the lease. */
  frozen(name: string, beat: number): boolean;
  /** Drops names that are gone. */
  keep(names: ReadonlySet<string>): void;
}

/** Parts of the lease one gap between two looks may count for: an observer that slept has not watched. */
const LOOKS_PER_LEASE = 3;

export function createWatch(clock: Clock, leaseMs: number): Watch {
  const seen = new Map<string, { beat: number; lookedAt: number; stillMs: number }>();
  return {
    frozen(name, beat) {
      const now = clock.monotonic();
      const last = seen.get(name);
      if (!last || last.beat !== beat) {
        seen.set(name, { beat, lookedAt: now, stillMs: 0 });
        return false;
      }
      last.stillMs += Math.min(now - last.lookedAt, Math.ceil(leaseMs / LOOKS_PER_LEASE));
      last.lookedAt = now;
      return last.stillMs >= leaseMs;
    },
    keep(names) {
      for (const name of seen.keys()) if (!names.has(name)) seen.delete(name);
    },
  };
}
