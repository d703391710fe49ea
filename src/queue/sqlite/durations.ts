import type { ScanRecord } from '../../model/scan.ts';
import { expectedWait, KEPT_DURATIONS, medianOf } from '../expected-wait.ts';
import { numberOf } from './row.ts';
import { many, change, type Store } from './store.ts';

/** A clock that was set back measures nothing. */
export function noteDuration(store: Store, { startedAt, request: { pool } }: ScanRecord): void {
  const ms = store.clock.now() - (startedAt ?? Infinity);
  if (!(ms >= 0)) return;
  change(
    store,
    `INSERT INTO durations (pool, n, ms)
     VALUES (?1, (SELECT coalesce(max(n), 0) + 1 FROM durations WHERE pool = ?1), ?2)`,
    pool,
    ms,
  );
  change(
    store,
    `DELETE FROM durations WHERE pool = ?1 AND n <= (SELECT max(n) FROM durations WHERE pool = ?1) - ${KEPT_DURATIONS}`,
    pool,
  );
}

export const medianMs = (store: Store, pool: string): number | undefined =>
  medianOf(many(store, 'SELECT ms FROM durations WHERE pool = ?', pool).map((row) => numberOf(row, 'ms')));

export function waitMs(store: Store, pool: string, position: number, slots: number): number | undefined {
  const now = store.clock.now();
  const running = many(store, `SELECT started_at FROM scans WHERE state = 'running' AND pool = ?`, pool);
  const runningForMs = running.map((row) => now - numberOf(row, 'started_at'));
  return expectedWait(medianMs(store, pool), position, slots, runningForMs);
}
