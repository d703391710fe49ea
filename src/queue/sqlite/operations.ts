import type { ScanRecord, ScanState } from '../../model/scan.ts';
import { countersFrom, type Counted } from '../counters.ts';
import {
  UNKNOWN_WORKER,
  type OperatorFilter,
  type QueueGauges,
  type QueueOperations,
  type SeenWorker,
  type WorkerFacts,
} from '../operations.ts';
import { removeFinished } from './remove-finished.ts';
import { acceptedByPool, queuedByPool } from './ranks.ts';
import { oldestQueuedMs } from './read.ts';
import { jsonOf, numberOf, optionalNumber, textOf } from './row.ts';
import { change, many, one, type Store } from './store.ts';
import { withPosition } from './submit.ts';

/** What operators and the housekeeper need, on the open store of a queue. */
export function createOperations(store: Store): QueueOperations {
  return {
    workers: async () => workers(store),
    list: async (filter) => list(store, filter),
    find: async (scanId) => recordAt(store, 'scan_id = ?', scanId),
    counters: async () => countersFrom(counted(store)),
    gauges: async () => gauges(store),
    removeFinished: (retention) => removeFinished(store, retention),
    takeTurn: (turn, holder, forMs) => store.write(() => takeTurn(store, turn, holder, forMs)),
    releaseTurn: (turn, holder) =>
      store.write(() => void change(store, 'DELETE FROM turns WHERE turn = ? AND holder = ?', turn, holder)),
  };
}

function workers(store: Store): readonly SeenWorker[] {
  const running = new Map(
    many(store, `SELECT owner, count(*) AS n FROM scans WHERE state = 'running' GROUP BY owner`).map(
      (row) => [textOf(row, 'owner'), numberOf(row, 'n')] as const,
    ),
  );
  return many(store, 'SELECT worker_id, facts, beat_at FROM workers ORDER BY worker_id').flatMap((row) => {
    const workerId = textOf(row, 'worker_id');
    if (!store.isAlive(workerId)) return [];
    const now = store.clock.now();
    return {
      ...(jsonOf<WorkerFacts>(row, 'facts') ?? UNKNOWN_WORKER),
      workerId,
      running: running.get(workerId) ?? 0,
      // A clock that was set back makes no beat come from the future.
      beatAgoMs: Math.max(0, now - (optionalNumber(row, 'beat_at') ?? now)),
    };
  });
}

function recordAt(store: Store, where: string, value: string | number): ScanRecord | undefined {
  const row = one(store, `SELECT * FROM scans WHERE ${where}`, value);
  return row && withPosition(store, row);
}

/** Each in the words of the index that serves it: SQLite takes a partial index only where its condition is repeated. */
const STATE_IS: Readonly<Record<ScanState, string>> = {
  queued: `state = 'queued'`,
  running: `state = 'running'`,
  retrying: `state = 'retrying'`,
  completed: `state = 'completed' AND state IN ('completed', 'failed', 'timed_out', 'cancelled')`,
  failed: `state = 'failed' AND state IN ('completed', 'failed', 'timed_out', 'cancelled')`,
  timed_out: `state = 'timed_out' AND state IN ('completed', 'failed', 'timed_out', 'cancelled')`,
  cancelled: `state = 'cancelled' AND state IN ('completed', 'failed', 'timed_out', 'cancelled')`,
};

/** Newest first, by order of creation. Of each state only as many as the page could need are read. */
function list(store: Store, { pool, states, offset, limit }: OperatorFilter): { scans: ScanRecord[]; total: number } {
  const ofPool = pool === undefined ? '' : ' AND pool = ?';
  const values = pool === undefined ? [] : [pool];
  let total = 0;
  const ids: number[] = [];
  for (const state of new Set(states)) {
    const where = `${STATE_IS[state]}${ofPool}`;
    total += numberOf(one(store, `SELECT count(*) AS n FROM scans WHERE ${where}`, ...values) ?? {}, 'n');
    const sql = `SELECT id FROM scans WHERE ${where} ORDER BY id DESC LIMIT ?`;
    ids.push(...many(store, sql, ...values, offset + limit).map((row) => numberOf(row, 'id')));
  }
  const page = ids.toSorted((a, b) => b - a).slice(offset, offset + limit);
  return { scans: page.flatMap((id) => recordAt(store, 'id = ?', id) ?? []), total };
}

function counted(store: Store): readonly Counted[] {
  const kept = many(store, 'SELECT name, label, part, n FROM counts').map((row) => ({
    name: textOf(row, 'name'),
    label: textOf(row, 'label'),
    part: textOf(row, 'part'),
    n: numberOf(row, 'n'),
  }));
  const accepted = [...acceptedByPool(store)].map(([label, n]) => ({ name: 'submitted', label, part: '', n }));
  return [...accepted, ...kept];
}

function gauges(store: Store): QueueGauges {
  const by = (state: ScanState): ReadonlyMap<string, number> =>
    new Map(
      many(store, `SELECT pool, count(*) AS n FROM scans WHERE ${STATE_IS[state]} GROUP BY pool`).map(
        (row) => [textOf(row, 'pool'), numberOf(row, 'n')] as const,
      ),
    );
  const [queued, retrying, running] = [queuedByPool(store), by('retrying'), by('running')];
  const [failed, timedOut] = [by('failed'), by('timed_out')];
  const names = new Set([queued, retrying, running, failed, timedOut].flatMap((counts) => [...counts.keys()]));
  const active = many(
    store,
    `SELECT pool, instance, count(*) AS n FROM scans WHERE state = 'running' GROUP BY pool, instance ORDER BY pool, instance`,
  );
  return {
    pools: [...names].toSorted().map((pool) => {
      const oldestMs = oldestQueuedMs(store, pool);
      return {
        pool,
        queued: queued.get(pool) ?? 0,
        retrying: retrying.get(pool) ?? 0,
        running: running.get(pool) ?? 0,
        deadLetters: (failed.get(pool) ?? 0) + (timedOut.get(pool) ?? 0),
        ...(oldestMs === undefined ? {} : { oldestQueuedMs: oldestMs }),
      };
    }),
    active: active.map((row) => ({
      pool: textOf(row, 'pool'),
      instance: textOf(row, 'instance'),
      count: numberOf(row, 'n'),
    })),
  };
}

/** By the wall clock, which all processes of a machine share; one that was set back ends a turn rather than prolong it. */
function takeTurn(store: Store, turn: string, holder: string, forMs: number): boolean {
  const now = store.clock.now();
  const row = one(store, 'SELECT holder, until FROM turns WHERE turn = ?', turn);
  if (row && textOf(row, 'holder') !== holder) {
    const leftMs = numberOf(row, 'until') - now;
    if (leftMs > 0 && leftMs <= forMs) return false;
  }
  change(store, 'INSERT OR REPLACE INTO turns (turn, holder, until) VALUES (?, ?, ?)', turn, holder, now + forMs);
  return true;
}
