import type { ScannerHealth } from '../../model/capability.ts';
import type { ScanRecord } from '../../model/scan.ts';
import type { Row } from '../../platform/sqlite.ts';
import { servedPools, type WorkerFacts } from '../operations.ts';
import { instanceKey, type InstanceState, type PoolStatus, type QueueStatus, type Readiness } from '../queue.ts';
import { queuedByPool } from './ranks.ts';
import { isReadable, jsonOf, numberOf, optionalNumber, textOf } from './row.ts';
import { many, one, change, type Store } from './store.ts';
import { withPosition } from './submit.ts';

const NEXT_SHOWN = 10;

export function createGet(store: Store): (tenant: string, scanId: string) => ScanRecord | undefined {
  const recordOf = store.recall.of((scanId) => {
    const row = one(store, 'SELECT * FROM scans WHERE scan_id = ?', scanId);
    return row && (isReadable(row) ? withPosition(store, row) : { tenant: textOf(row, 'tenant'), row });
  });
  return (tenant, scanId) => {
    const found = recordOf(scanId);
    if (found?.tenant !== tenant) return undefined;
    return 'row' in found ? withPosition(store, found.row) : found;
  };
}

/** Looking at another process costs as much as a whole status call; whether one lives is remembered this long. */
const LIFE_CHECK_MS = 250;

export function createReadiness(store: Store): () => Readiness {
  const known = store.recall.of(() => ({
    workers: many(store, 'SELECT worker_id, facts FROM workers').map((row) => ({
      workerId: textOf(row, 'worker_id'),
      pools: jsonOf<WorkerFacts>(row, 'facts')?.pools,
    })),
    instances: instanceStates(store),
  }));
  let checked:
    | (Pick<Readiness, 'hasWorker' | 'served'> & { readonly workers: object; readonly at: number })
    | undefined;
  return () => {
    const { workers, instances } = known('');
    const at = store.clock.monotonic();
    if (checked?.workers !== workers || at - checked.at >= LIFE_CHECK_MS) {
      const live = workers.filter(({ workerId }) => store.isAlive(workerId));
      checked = { workers, at, hasWorker: live.length > 0, served: servedPools(live) };
    }
    return { hasWorker: checked.hasWorker, served: checked.served, instances };
  };
}

/** Dead letters are the tenant's own; load is that of everyone, because everyone waits for it. */
export function status(store: Store, tenant: string, pool?: string): QueueStatus {
  const queued = queuedByPool(store);
  const running = countBy(store, `SELECT pool, count(*) AS n FROM scans WHERE state = 'running' GROUP BY pool`);
  const retrying = countBy(store, `SELECT pool, count(*) AS n FROM scans WHERE state = 'retrying' GROUP BY pool`);
  const dead = countBy(
    store,
    `SELECT pool, count(*) AS n FROM scans WHERE tenant = ? AND state IN ('failed', 'timed_out') GROUP BY pool`,
    tenant,
  );
  const names = pool === undefined ? [...queued, ...running, ...retrying, ...dead].map(([name]) => name) : [pool];
  const pools = [...new Set(names)].toSorted().map((name): PoolStatus => {
    const oldest = oldestQueuedMs(store, name);
    return {
      pool: name,
      queued: queued.get(name) ?? 0,
      retrying: retrying.get(name) ?? 0,
      running: running.get(name) ?? 0,
      deadLetters: dead.get(name) ?? 0,
      ...(oldest === undefined ? {} : { oldestQueuedMs: oldest }),
    };
  });
  return { pools, workers: liveWorkers(store), backend: 'sqlite', next: nextOf(store, tenant, pools) };
}

function countBy(store: Store, sql: string, ...values: readonly string[]): ReadonlyMap<string, number> {
  return new Map(many(store, sql, ...values).map((row) => [textOf(row, 'pool'), numberOf(row, 'n')]));
}

export function oldestQueuedMs(store: Store, pool: string): number | undefined {
  const row = one(store, `SELECT min(queued_at) AS at FROM scans WHERE state = 'queued' AND pool = ?`, pool);
  const at = optionalNumber(row ?? {}, 'at');
  return at === undefined ? undefined : Math.max(0, store.clock.now() - at);
}

const liveWorkers = (store: Store): number =>
  many(store, 'SELECT worker_id FROM workers').filter((row) => store.isAlive(textOf(row, 'worker_id'))).length;

/** Each half of the queue is read in the order of its own index. */
const NEXT = (boundIs: string): string =>
  `SELECT scan_id, pool, priority, rank, id FROM scans
   WHERE state = 'queued' AND bound ${boundIs} AND pool = ? AND tenant = ?
   ORDER BY priority, rank LIMIT ${NEXT_SHOWN}`;

function nextOf(store: Store, tenant: string, pools: readonly PoolStatus[]): QueueStatus['next'] {
  const rows = pools.flatMap(({ pool }) =>
    [...many(store, NEXT("= ''"), pool, tenant), ...many(store, NEXT("<> ''"), pool, tenant)].toSorted(
      (a, b) => by('priority', a, b) || by('rank', a, b) || by('id', a, b),
    ),
  );
  return rows
    .toSorted((a, b) => by('priority', a, b)) // pools are not ranked against one another
    .slice(0, NEXT_SHOWN)
    .map((row) => ({
      scanId: textOf(row, 'scan_id'),
      pool: textOf(row, 'pool'),
      priority: numberOf(row, 'priority'),
    }));
}

const by = (column: string, a: Row, b: Row): number => numberOf(a, column) - numberOf(b, column);

export function nextRetryInMs(store: Store): number | undefined {
  const row = one(
    store,
    `SELECT min(min(retry_at - ?, retry_at - retry_from)) AS ms FROM scans WHERE state = 'retrying'`,
    store.clock.now(),
  );
  const ms = optionalNumber(row ?? {}, 'ms');
  return ms === undefined ? undefined : Math.max(0, ms);
}

export function liveCount(store: Store): number {
  const waiting = [...queuedByPool(store).values()].reduce((sum, n) => sum + n, 0);
  const row = one(
    store,
    `SELECT (SELECT count(*) FROM scans WHERE state = 'running')
          + (SELECT count(*) FROM scans WHERE state = 'retrying') AS n`,
  );
  return waiting + numberOf(row ?? {}, 'n');
}

export function activeByInstance(store: Store): ReadonlyMap<string, number> {
  const rows = many(
    store,
    `SELECT pool, instance, count(*) AS n FROM scans WHERE state = 'running' GROUP BY pool, instance`,
  );
  return new Map(
    rows.map((row) => [instanceKey(textOf(row, 'pool'), textOf(row, 'instance')), numberOf(row, 'n')] as const),
  );
}

/** An attempt that may still be adopted, as long as it is known, counts as running: its folder may hold the report so far. */
export function referencedAttempts(store: Store, scanIds: readonly string[]): ReadonlyMap<string, ReadonlySet<number>> {
  const kept = new Map<string, ReadonlySet<number>>();
  for (const scanId of scanIds) {
    const row = one(store, 'SELECT state, epoch, checkpoint, result_epoch FROM scans WHERE scan_id = ?', scanId);
    if (!row) continue;
    const epochs = new Set<number>();
    const visible = optionalNumber(row, 'result_epoch');
    if (visible !== undefined) epochs.add(visible);
    if (row['state'] === 'running' || row['checkpoint'] !== null || !isReadable(row))
      epochs.add(numberOf(row, 'epoch'));
    kept.set(scanId, epochs);
  }
  return kept;
}

export async function putInstanceHealth(
  store: Store,
  pool: string,
  instance: string,
  health: ScannerHealth,
): Promise<void> {
  await store.write(() =>
    change(
      store,
      'INSERT OR REPLACE INTO instances (pool, instance, health, checked_at) VALUES (?, ?, ?, ?)',
      pool,
      instance,
      JSON.stringify(health),
      store.clock.now(),
    ),
  );
}

export const instanceStates = (store: Store): readonly InstanceState[] =>
  many(store, 'SELECT * FROM instances').flatMap((row) => {
    const health = jsonOf<ScannerHealth>(row, 'health');
    if (!health) return [];
    return {
      pool: textOf(row, 'pool'),
      instance: textOf(row, 'instance'),
      health,
      checkedAt: numberOf(row, 'checked_at'),
    };
  });
