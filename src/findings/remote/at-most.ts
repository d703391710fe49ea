/** Runs work of any kind, so many pieces at once; the others wait in line. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

export function atMost(count: number): InTurn {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= count) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // Whoever waits takes over the place.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
