import type { WorkerFacts } from '../operations.ts';
import { announce } from './claim.ts';
import { one, change, type Store } from './store.ts';
import { lostWorkers } from './tidy.ts';

const MAY_HAVE_WORK = `SELECT
  EXISTS (SELECT 1 FROM scans WHERE state = 'queued' AND bound = '')
  OR EXISTS (SELECT 1 FROM scans WHERE state = 'queued' AND bound <> '')
  OR EXISTS (SELECT 1 FROM scans WHERE state = 'retrying' AND (retry_at <= ?1 OR retry_from > ?1))
  OR EXISTS (SELECT 1 FROM scans WHERE state = 'running' AND cancel_requested) AS found`;

export function mayHaveWork(store: Store): boolean {
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
