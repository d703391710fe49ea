import type { SqlValue } from '../../platform/sqlite.ts';
import type { RemovedScan, Retention } from '../operations.ts';
import { removeScans } from './remove.ts';
import { numberOf, optionalText, textOf } from './row.ts';
import { many, one, type Store } from './store.ts';

interface Due extends RemovedScan {
  readonly id: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

const DONE = `state IN ('completed', 'cancelled')`;
const DEAD = `state IN ('failed', 'timed_out')`;
/** An imported scan is as old as its import. In the words of the index. */
const AGE = 'max(finished_at, created_at)';

const DONE_BEFORE = `SELECT id, scan_id, tenant, ${AGE} AS at FROM scans
  WHERE ${DONE} AND tenant = ? AND ${AGE} < ? ORDER BY ${AGE}, id LIMIT ?`;
const DEAD_BEFORE = `SELECT id, scan_id, tenant, finished_at AS at FROM scans
  WHERE ${DEAD} AND tenant = ? AND finished_at < ? ORDER BY finished_at, id LIMIT ?`;
const DONE_COUNT = `SELECT count(*) AS n FROM scans WHERE ${DONE} AND tenant = ?`;
const DONE_OLDEST = `SELECT id, scan_id, tenant, ${AGE} AS at FROM scans
  WHERE ${DONE} AND tenant = ? ORDER BY ${AGE}, id LIMIT ?`;

/** Oldest first, over all tenants. One transaction: of two that call at once, each scan is removed by one. */
export async function removeFinished(store: Store, retention: Retention): Promise<readonly RemovedScan[]> {
  if (due(store, retention).length === 0) return []; // mostly: without keeping writers out
  return await store.write(() => {
    const going = due(store, retention);
    for (const tenant of new Set(going.map((scan) => scan.tenant))) {
      removeScans(
        store,
        tenant,
        going.filter((scan) => scan.tenant === tenant).map(({ id }) => id),
      );
    }
    return going.map(({ tenant, scanId }) => ({ tenant, scanId }));
  });
}

function due(store: Store, { finishedBefore, deadBefore, keepNewest, limit }: Retention): readonly Due[] {
  const found = new Map<number, Due>();
  const add = (sql: string, ...values: readonly SqlValue[]): void => {
    for (const row of many(store, sql, ...values)) {
      const id = numberOf(row, 'id');
      found.set(id, { id, scanId: textOf(row, 'scan_id'), tenant: textOf(row, 'tenant'), at: numberOf(row, 'at') });
    }
  };
  for (const tenant of tenants(store)) {
    if (finishedBefore !== undefined) add(DONE_BEFORE, tenant, finishedBefore, limit);
    if (deadBefore !== undefined) add(DEAD_BEFORE, tenant, deadBefore, limit);
    if (keepNewest === undefined) continue;
    const over = numberOf(one(store, DONE_COUNT, tenant) ?? {}, 'n') - keepNewest;
    if (over > 0) add(DONE_OLDEST, tenant, Math.min(over, limit));
  }
  return [...found.values()].toSorted((a, b) => a.at - b.at || a.id - b.id).slice(0, limit);
}

/** From one tenant to the next by the index, without a look at each scan. */
function tenants(store: Store): readonly string[] {
  const found: string[] = [];
  for (let last = ''; ;) {
    const next = optionalText(
      one(store, 'SELECT min(tenant) AS tenant FROM scans WHERE tenant > ?', last) ?? {},
      'tenant',
    );
    if (next === undefined) return found;
    found.push(next);
    last = next;
  }
}
