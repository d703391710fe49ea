import type { Row } from '../../platform/sqlite.ts';
import { instanceKey, type Claim, type Slot } from '../queue.ts';
import { serve } from './lanes.ts';
import { numberOf, optionalNumber, storedScan, textOf, type StoredScan } from './row.ts';
import { many, one, change, type Store } from './store.ts';
import { expire, tidy } from './tidy.ts';
import { move } from './transition.ts';

interface Candidate {
  readonly scan: StoredScan;
  readonly slot: Slot;
}

/**
 * One transaction: what is due is tidied, then one scan and one slot are taken together. Only when nothing could start
 * does anything expire.
 */
export async function claim(store: Store, workerId: string, slots: readonly Slot[]): Promise<Claim | undefined> {
  const { moved, taken } = await store.write(() => {
    announce(store, workerId, 0);
    const tidied = tidy(store, workerId, slots);
    const next = takeNext(store, workerId, slots);
    return { moved: tidied + (next ? 0 : expire(store)), taken: next };
  });
  if (moved > 0 || taken) store.events.ring();
  return taken;
}

/** Puts a worker on the list; `beats` is added to its counter. */
export function announce(store: Store, workerId: string, beats: number): void {
  const known = one(store, 'SELECT beat FROM workers WHERE worker_id = ?', workerId);
  if (known && beats === 0) return;
  if (!known) forgetDead(store);
  change(
    store,
    'INSERT INTO workers (worker_id, beat) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET beat = beat + ?2',
    workerId,
    beats,
  );
}

/** Their running scans are lost with or without a place on the list. */
function forgetDead(store: Store): void {
  for (const row of many(store, 'SELECT worker_id FROM workers')) {
    const workerId = textOf(row, 'worker_id');
    if (!store.isAlive(workerId)) change(store, 'DELETE FROM workers WHERE worker_id = ?', workerId);
  }
}

function takeNext(store: Store, workerId: string, slots: readonly Slot[]): Claim | undefined {
  const used = usedSlots(store);
  const pools = [...new Set(slots.map((slot) => slot.pool))];
  let best: Candidate | undefined;
  for (const pool of pools) {
    const found = candidate(
      store,
      pool,
      slots.filter((slot) => slot.pool === pool),
      used,
    );
    if (found && (!best || comesBefore(found.scan, best.scan))) best = found;
  }
  return best && take(store, workerId, best);
}

/** Across pools ranks say nothing: what already runs at its scanner first, then priority, then age. */
function comesBefore(a: StoredScan, b: StoredScan): boolean {
  if (a.held !== b.held) return a.held;
  return (a.record.request.priority - b.record.request.priority || a.id - b.id) < 0;
}

/** Running scans of each instance, over all workers. */
function usedSlots(store: Store): ReadonlyMap<string, number> {
  const used = new Map<string, number>();
  const rows = many(
    store,
    `SELECT pool, instance, count(*) AS n FROM scans WHERE state = 'running' GROUP BY pool, instance`,
  );
  for (const row of rows) {
    const key = instanceKey(textOf(row, 'pool'), textOf(row, 'instance'));
    used.set(key, (used.get(key) ?? 0) + numberOf(row, 'n'));
  }
  return used;
}

const FIRST_BOUND = `SELECT * FROM scans WHERE state = 'queued' AND bound <> '' AND pool = ? AND bound = ? AND held = ?
  ORDER BY priority, rank LIMIT 1`;
const FIRST_UNBOUND = `SELECT * FROM scans WHERE state = 'queued' AND bound = '' AND pool = ?
  ORDER BY priority, rank LIMIT 1`;

function candidate(
  store: Store,
  pool: string,
  slots: readonly Slot[],
  used: ReadonlyMap<string, number>,
): Candidate | undefined {
  const found: Candidate[] = [];
  const add = (row: Row | undefined, slot: Slot): void => {
    if (row) found.push({ scan: storedScan(row), slot });
  };
  const free = slots.filter((slot) => (used.get(instanceKey(pool, slot.instance)) ?? 0) < slot.limit);
  if (one(store, `SELECT 1 FROM scans WHERE state = 'queued' AND bound <> '' AND pool = ? LIMIT 1`, pool)) {
    // An adoption still occupies its slot at the scanner. It goes before all others, so nobody gets that slot meanwhile.
    for (const slot of slots) add(one(store, FIRST_BOUND, pool, slot.instance, 1), slot);
    for (const slot of free) add(one(store, FIRST_BOUND, pool, slot.instance, 0), slot);
  }
  const rested = longestRested(store, free);
  if (rested) add(one(store, FIRST_UNBOUND, pool), rested);
  return found.toSorted(({ scan: a }, { scan: b }) => order(a, b))[0];
}

const order = (a: StoredScan, b: StoredScan): number =>
  Number(b.held) - Number(a.held) ||
  a.record.request.priority - b.record.request.priority ||
  a.rank - b.rank ||
  a.id - b.id;

const turnOf = (store: Store, { pool, instance }: Slot): number =>
  optionalNumber(
    one(store, 'SELECT turn FROM rotation WHERE pool = ? AND instance = ?', pool, instance) ?? {},
    'turn',
  ) ?? 0;

/** Rotation: the slot whose last scan is longest ago, in the order given where none had one. */
function longestRested(store: Store, free: readonly Slot[]): Slot | undefined {
  return free.map((slot) => ({ slot, turn: turnOf(store, slot) })).toSorted((a, b) => a.turn - b.turn)[0]?.slot;
}

function take(store: Store, workerId: string, { scan, slot }: Candidate): Claim {
  const { pool, priority } = scan.record.request;
  const adopted = scan.checkpoint !== undefined;
  const taken = move(store, scan, 'running', {
    epoch: scan.record.epoch + 1,
    attempt: scan.record.attempt + 1,
    owner: workerId,
    instance: slot.instance,
    // The first start of all attempts: the time limit of a scan runs on whoever runs it.
    started_at: scan.record.startedAt ?? store.clock.now(),
    held: 0,
    ...(adopted ? {} : { progress: null, external_scan_id: null }),
  });
  if (!scan.held) {
    change(
      store,
      `INSERT INTO rotation (pool, instance, turn)
       VALUES (?1, ?2, (SELECT coalesce(max(turn), 0) + 1 FROM rotation WHERE pool = ?1))
       ON CONFLICT DO UPDATE SET turn = excluded.turn`,
      pool,
      slot.instance,
    );
  }
  serve(store, pool, priority, scan.rank);
  return { scan: taken.record, epoch: taken.record.epoch, instance: slot.instance, checkpoint: scan.checkpoint };
}
