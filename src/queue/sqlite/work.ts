import type { WorkerFacts } from '../operations.ts';
import { guarded } from './events.ts';
import { announce } from './claim.ts';
import { one, change, type Store } from './store.ts';
import { lostWorkers } from './tidy.ts';

/** A ring may be lost, and a worker may die without one; this often a waiting worker looks. */
const SLOW_LOOK_MS = 1_000;

export interface WorkWaits {
  wait(signal: AbortSignal, timeoutMs: number): Promise<boolean>;
  /** Rings heard before this are answered by the claim that follows. */
  claiming(): void;
  close(): void;
}

export function createWorkWaits(store: Store): WorkWaits {
  const waiting = new Set<(found: boolean) => void>();
  let heard = true; // what was there before we listened
  let deafen: (() => void) | undefined;

  const listen = (): void => {
    deafen ??= store.jobs.listen(() => {
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
        const look = guarded(() => {
          if (mayHaveWork(store)) done(true);
        });
        const looking = setInterval(look, SLOW_LOOK_MS);
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

const MAY_HAVE_WORK = `SELECT
  EXISTS (SELECT 1 FROM scans WHERE state = 'queued' AND bound = '')
  OR EXISTS (SELECT 1 FROM scans WHERE state = 'queued' AND bound <> '')
  OR EXISTS (SELECT 1 FROM scans WHERE state = 'retrying' AND (retry_at <= ?1 OR retry_from > ?1))
  OR EXISTS (SELECT 1 FROM scans WHERE state = 'running' AND cancel_requested) AS found`;

function mayHaveWork(store: Store): boolean {
  const lost = lostWorkers(store).size > 0;
  return lost || one(store, MAY_HAVE_WORK, store.clock.now())?.['found'] === 1;
}

export async function heartbeat(store: Store, workerId: string, facts?: WorkerFacts): Promise<void> {
  await store.write(() => {
    announce(store, workerId, 1);
    const sql = 'UPDATE workers SET facts = coalesce(?, facts), beat_at = ? WHERE worker_id = ?';
    change(store, sql, facts ? JSON.stringify(facts) : null, store.clock.now(), workerId);
  });
}

export async function retire(store: Store, workerId: string): Promise<void> {
  await store.write(() => change(store, 'DELETE FROM workers WHERE worker_id = ?', workerId));
  store.jobs.ring();
}
