/** A message may be lost, and a worker may die without one; this often a waiting worker looks. */
const SLOW_LOOK_MS = 1_000;

export interface WorkWaits {
  wait(signal: AbortSignal, timeoutMs: number): Promise<boolean>;
  /** Messages heard before this are answered by the claim that follows. */
  claiming(): void;
  close(): void;
}

export interface WorkSource {
  /** Calls `heard` with each message that there may be work; returns the way to stop. */
  listen(heard: () => void): () => void;
  /** Whether there may be work, heard of or not. */
  mayHaveWork(): boolean | Promise<boolean>;
}

/** How a worker waits for work, wherever the queue is. */
export function createWorkWaits(source: WorkSource): WorkWaits {
  const waiting = new Set<(found: boolean) => void>();
  let heard = true; // what was there before we listened
  let deafen: (() => void) | undefined;

  const listen = (): void => {
    deafen ??= source.listen(() => {
      heard = true;
      for (const done of waiting) done(true);
    });
  };
  return {
    claiming() {
      listen();
      heard = false;
    },
    wait(signal, timeoutMs) {
      listen();
      if (signal.aborted) return Promise.resolve(false);
      if (heard) {
        heard = false;
        return Promise.resolve(true);
      }
      return new Promise((resolve) => {
        const done = (found: boolean): void => {
          clearTimeout(deadline);
          clearInterval(looking);
          signal.removeEventListener('abort', aborted);
          waiting.delete(done);
          if (found) heard = false;
          resolve(found);
        };
        const aborted = (): void => done(false);
        const deadline = setTimeout(aborted, timeoutMs);
        const look = async (): Promise<void> => {
          if (await source.mayHaveWork()) done(true);
        };
        // A look that fails is made up for by the next; who claims sees the failure there.
        const looking = setInterval(() => void look().catch(() => undefined), SLOW_LOOK_MS);
        signal.addEventListener('abort', aborted, { once: true });
        waiting.add(done);
      });
    },
    close() {
      deafen?.();
      for (const done of waiting) done(false);
    },
  };
}
