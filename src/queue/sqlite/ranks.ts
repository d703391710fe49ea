import { numberOf } from './row.ts';
import { many, one, change, type Store } from './store.ts';

/** Where a queued scan stands: the lower, the sooner. */
export interface Place {
  readonly pool: string;
  readonly priority: number;
  readonly rank: number;
}

/** Counters of queued scans over blocks of 2^6, 2^12, ... ranks: a position is a sum of at most 64 numbers per level. */
const COUNT = `
INSERT INTO ranks (pool, shift, priority, bucket, n)
VALUES (?1, 6, ?2, ?3 >> 6, ?4), (?1, 12, ?2, ?3 >> 12, ?4), (?1, 18, ?2, ?3 >> 18, ?4),
       (?1, 24, ?2, ?3 >> 24, ?4), (?1, 30, ?2, ?3 >> 30, ?4), (?1, 99, ?2, 0, ?4)
ON CONFLICT DO UPDATE SET n = n + excluded.n`;

/** Shift 100 counts the scans a pool ever accepted: beside the totals, so that a submit writes no further page. */
const COUNT_NEW = COUNT.replace('(?1, 99, ?2, 0, ?4)', '(?1, 99, ?2, 0, ?4), (?1, 100, 0, 0, ?4)');

/** Within a scan's own block of 64 ranks its rows are counted; scans of one rank stand in order of creation. */
const AHEAD_IN_BLOCK = (boundIs: string): string => `
(SELECT count(*) FROM scans WHERE state = 'queued' AND bound ${boundIs} AND pool = ?1 AND priority = ?2
  AND rank >= (?3 >> 6) << 6 AND rank <= ?3 AND (rank < ?3 OR id < ?4))`;

const AHEAD_IN_BLOCKS = (shift: number): string => `
(SELECT coalesce(sum(n), 0) FROM ranks WHERE pool = ?1 AND shift = ${shift} AND priority = ?2
  AND bucket >= (?3 >> ${shift + 6}) << 6 AND bucket < ?3 >> ${shift})`;

const AHEAD = `SELECT
(SELECT coalesce(sum(n), 0) FROM ranks WHERE pool = ?1 AND shift = 99 AND priority < ?2)
+ (SELECT coalesce(sum(n), 0) FROM ranks WHERE pool = ?1 AND shift = 30 AND priority = ?2 AND bucket < ?3 >> 30)
+ ${[24, 18, 12, 6].map(AHEAD_IN_BLOCKS).join('+')}
+ ${AHEAD_IN_BLOCK("= ''")} + ${AHEAD_IN_BLOCK("<> ''")} AS n`;

export function countIn(store: Store, { pool, priority, rank }: Place): void {
  store.db.prepare(COUNT).run(pool, priority, rank, 1);
}

/** The same for a scan that was not there before. */
export function countNew(store: Store, { pool, priority, rank }: Place): void {
  store.db.prepare(COUNT_NEW).run(pool, priority, rank, 1);
}

export function countOut(store: Store, { pool, priority, rank }: Place): void {
  store.db.prepare(COUNT).run(pool, priority, rank, -1);
  change(store, 'DELETE FROM ranks WHERE n = 0');
}

/** 1 for the next of its pool. */
export function positionOf(store: Store, { pool, priority, rank }: Place, id: number): number {
  return numberOf(one(store, AHEAD, pool, priority, rank, id) ?? {}, 'n') + 1;
}

/** Queued scans by pool. */
export function queuedByPool(store: Store): ReadonlyMap<string, number> {
  const pools = new Map<string, number>();
  for (const row of many(store, 'SELECT pool, n FROM ranks WHERE shift = 99')) {
    const pool = String(row['pool']);
    pools.set(pool, (pools.get(pool) ?? 0) + numberOf(row, 'n'));
  }
  return pools;
}

/** Scans ever accepted, by pool. */
export const acceptedByPool = (store: Store): ReadonlyMap<string, number> =>
  new Map(
    many(store, 'SELECT pool, n FROM ranks WHERE shift = 100').map((row) => [String(row['pool']), numberOf(row, 'n')]),
  );
