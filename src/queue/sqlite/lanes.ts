import { optionalNumber } from './row.ts';
import { one, change, type Store } from './store.ts';

/** Ranks of one round; a tenant has at most one scan in a round, later tenants stand behind earlier ones. */
const ROUND = 4096;
/** The lane that holds the round being served. */
const SERVED = '';

const LAST_RANK = (boundIs: string): string =>
  `SELECT max(rank) AS rank FROM scans WHERE state = 'queued' AND bound ${boundIs}
   AND pool = ? AND priority = ? AND rank >= ? AND rank < ?`;

const ROUNDS = `SELECT
  (SELECT round FROM lanes WHERE pool = ?1 AND priority = ?2 AND tenant = '${SERVED}') AS served,
  (SELECT round FROM lanes WHERE pool = ?1 AND priority = ?2 AND tenant = ?3) AS own`;

const setRound = (store: Store, pool: string, priority: number, tenant: string, round: number): number =>
  change(
    store,
    `INSERT INTO lanes (pool, priority, tenant, round) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET round = max(round, excluded.round)`,
    pool,
    priority,
    tenant,
    round,
  );

/**
 * The place of a new scan among the queued of its pool and priority: start-time fair queueing with equal weights.
 * A tenant's next scan goes one round behind its last one, but never behind the round being served: who was idle saves
 * up nothing, and who floods the queue only makes its own line longer. Within a round, first come, first served.
 * Source: P. Goyal, H. Vin, H. Cheng, "Start-time Fair Queueing", SIGCOMM 1996.
 */
export function nextRank(store: Store, pool: string, priority: number, tenant: string): number {
  const lane = `=${tenant}`;
  const rounds = one(store, ROUNDS, pool, priority, lane) ?? {};
  const served = optionalNumber(rounds, 'served') ?? 0;
  const own = optionalNumber(rounds, 'own');
  const round = own === undefined ? served : Math.max(served, own + 1);
  setRound(store, pool, priority, lane, round);
  const first = round * ROUND;
  const last = [LAST_RANK("= ''"), LAST_RANK("<> ''")].map((sql) =>
    optionalNumber(one(store, sql, pool, priority, first, first + ROUND) ?? {}, 'rank'),
  );
  const behind = Math.max(...last.map((rank) => (rank ?? first - 1) + 1));
  return Math.min(behind, first + ROUND - 1);
}

/** Notes which round is being served, when a scan of it starts. */
export function serve(store: Store, pool: string, priority: number, rank: number): void {
  setRound(store, pool, priority, SERVED, Math.floor(rank / ROUND));
}
