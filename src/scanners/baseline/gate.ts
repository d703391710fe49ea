/** Lets a bounded number of holders in at once, first come first served. */
export interface Gate {
  /** Runs `body` when there is room. @throws the reason of `signal` when it aborts first; then `body` never runs. */
  hold<T>(signal: AbortSignal, body: () => Promise<T>): Promise<T>;
}

export function createGate(limit: number): Gate {
  let free = limit;
  const waiting = new Set<() => void>();

  const enter = (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        signal.removeEventListener('abort', give);
        resolve();
      };
      const give = (): void => {
        waiting.delete(admit);
        reject(signal.reason);
      };
      signal.addEventListener('abort', give, { once: true });
      waiting.add(admit);
    });
  };

  const leave = (): void => {
    const [next] = waiting;
    if (!next) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  };

  return {
    async hold(signal, body) {
      await enter(signal);
      try {
        return await body();
      } finally {
        leave();
      }
    },
  };
}

/** Runs all, waits until every one has ended, and only then throws what the first one threw. */
export async function settleAll<T>(runs: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(runs);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
