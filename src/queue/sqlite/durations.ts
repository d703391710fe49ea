import type { ScanRecord } from '../../model/scan.ts';
import { numberOf } from './row.ts';
import { many, change, type Store } from './store.ts';

/** How many of a pool's last completed scans its expectations rest on. */
const KEPT = 50;

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
    `DELETE FROM durations WHERE pool = ?1 AND n <= (SELECT max(n) FROM durations WHERE pool = ?1) - ${KEPT}`,
    pool,
  );
}

export function medianMs(store: Store, pool: string): number | undefined {
  const sorted = many(store, 'SELECT ms FROM durations WHERE pool = ? ORDER BY ms', pool).map((row) =>
    numberOf(row, 'ms'),
  );
  return sorted[Math.floor(sorted.length / 2)];
}

/**
 * The running scans end when the median says, or at once if they are over it; the ones ahead take the slots as they
 * come free.
 */
export function waitMs(store: Store, pool: string, position: number, slots: number): number | undefined {
  const median = medianMs(store, pool);
  if (median === undefined || slots < 1) return undefined;
  const now = store.clock.now();
  const left = many(store, `SELECT started_at FROM scans WHERE state = 'running' AND pool = ?`, pool)
    .map((row) => Math.min(median, Math.max(0, median - (now - numberOf(row, 'started_at')))))
    .toSorted((a, b) => a - b)
    .slice(0, slots);
  const freeAt = [...Array.from({ length: slots - left.length }, () => 0), ...left];
  const turn = Math.max(0, position - 1);
  return (freeAt[turn % slots] ?? 0) + Math.floor(turn / slots) * median;
}
