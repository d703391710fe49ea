import type { WorkerFacts } from '../operations.ts';
import { listOf } from './reply.ts';
import { HEARTBEAT, MAY_HAVE_WORK, RETIRE } from './scripts/workers.ts';
import type { RedisStore } from './store.ts';
import { lostWorkers, seenWorkersOf } from './workers.ts';

/** A message may be lost, and a worker may die without one; this often a waiting worker looks. */
const SLOW_LOOK_MS = 1_000;

export interface WorkWaits {
  wait(signal: AbortSignal, timeoutMs: number): Promise<boolean>;
  /** Messages heard before this are answered by the claim that follows. */
  claiming(): void;
  close(): void;
}

export function createWorkWaits(store: RedisStore): WorkWaits {
  const waiting = new Set<(found: boolean) => void>();
  let heard = true; // what was there before we listened
  let deafen: (() => void) | undefined;

  const listen = (): void => {
    deafen ??= store.listen('jobs', () => {
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
          if (await mayHaveWork(store)) done(true);
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

async function mayHaveWork(store: RedisStore): Promise<boolean> {
  const [may, workers] = listOf(await store.run(MAY_HAVE_WORK));
  const lost = lostWorkers(store, seenWorkersOf(workers));
  return may === 1 || lost.size > 0;
}

export async function heartbeat(store: RedisStore, workerId: string, facts?: WorkerFacts): Promise<void> {
  await store.run(HEARTBEAT, workerId, facts ? JSON.stringify(facts) : '');
}

export async function retire(store: RedisStore, workerId: string): Promise<void> {
  await store.run(RETIRE, workerId);
}
