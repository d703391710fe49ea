import { setImmediate as yieldToOthers } from 'node:timers/promises';

/** Turns that long work gives to the rest of its process: leases are renewed and calls answered in them. */
export interface Turns {
  /** A turn when the last one is long enough ago; asking costs next to nothing. */
  readonly ifDue: () => Promise<void> | undefined;
  readonly now: () => Promise<void>;
}

const WORK_MS = 8;
/** The clock is asked once in so many times. */
const STRIDE = 16;

/** When turns come has no influence on what is written. */
export function createTurns(clock: () => number = () => performance.now()): Turns {
  let since = clock();
  let asked = 0;
  const now = async (): Promise<void> => {
    await yieldToOthers();
    since = clock();
  };
  return {
    ifDue() {
      asked += 1;
      if (asked % STRIDE !== 0 || clock() - since < WORK_MS) return undefined;
      return now();
    },
    now,
  };
}
