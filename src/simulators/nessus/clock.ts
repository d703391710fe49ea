/** The time of the simulated server, in epoch milliseconds. */
export interface Clock {
  now(): number;
}

/** @param speed how many simulated milliseconds pass in a real one */
export function createRunningClock(speed: number, start = Date.now()): Clock {
  const began = performance.now();
  return { now: () => start + (performance.now() - began) * speed };
}

export interface ManualClock extends Clock {
  /** @throws RangeError for a step back: time does not run backwards */
  advance(ms: number): void;
}

/** Stands still until it is advanced. */
export function createManualClock(start = Date.now()): ManualClock {
  let now = start;
  return {
    now: () => now,
    advance: (ms) => {
      if (!(ms >= 0)) throw new RangeError(`the clock cannot be advanced by ${ms} ms`);
      now += ms;
    },
  };
}
