import { AppError } from '../../model/errors.ts';
import { TRANSITIONS, type Progress, type ScanState } from '../../model/scan.ts';
import type { SqlValue } from '../../platform/sqlite.ts';
import { countMove } from './counts.ts';
import { countIn, countOut } from './ranks.ts';
import { numberOf, storedScan, type StoredScan } from './row.ts';
import { one, change, type Store } from './store.ts';

/** Columns to set. Texts of statements are few, so each is prepared once. */
export type Changes = Readonly<Record<string, SqlValue>>;

const placeOf = ({ record, rank }: StoredScan) => ({
  pool: record.request.pool,
  priority: record.request.priority,
  rank,
});

/**
 * Moves a scan to a state: the columns, the counters of the queue and the event, in the caller's transaction.
 * @throws AppError internal_error for a move the state machine does not know
 */
export function move(store: Store, scan: StoredScan, to: ScanState, changes: Changes = {}): StoredScan {
  const from = scan.record.state;
  if (!TRANSITIONS[from].includes(to)) {
    throw new AppError('internal_error', `A scan cannot go from ${from} to ${to}.`);
  }
  if (from === 'queued') countOut(store, placeOf(scan));
  record(store, scan.id, { state: to, ...changes });
  const moved = reread(store, scan.id);
  if (to === 'queued') countIn(store, placeOf(moved));
  countMove(store, moved.record);
  return moved;
}

/** Sets columns and appends the event that tells of it. Never for `state` alone: that is `move`. */
export function record(store: Store, id: number, changes: Changes): void {
  const columns = Object.keys(changes);
  const set = columns.map((column) => `${column} = ?, `).join('');
  const row = one(
    store,
    `UPDATE scans SET ${set}event_seq = event_seq + 1 WHERE id = ? RETURNING event_seq`,
    ...columns.map((column) => changes[column] ?? null),
    id,
  );
  appendEvent(store, id, numberOf(row ?? {}, 'event_seq'));
}

/** The event holds the state and progress as they stand. */
export function appendEvent(store: Store, id: number, seq: number): void {
  change(
    store,
    `INSERT INTO events (scan, seq, at, state, progress)
     SELECT id, ?, ?, state, iif(state = 'running' OR cancel_requested, progress, NULL) FROM scans WHERE id = ?`,
    seq,
    store.clock.now(),
    id,
  );
}

export function reread(store: Store, id: number): StoredScan {
  const row = one(store, 'SELECT * FROM scans WHERE id = ?', id);
  if (!row) throw new AppError('internal_error', 'A scan vanished inside a transaction.');
  return storedScan(row);
}

/** Progress as it stands with the phase that tells of a cancel under way. */
export function cancelling(store: Store, { record: { progress, request } }: StoredScan): string {
  const shown: Progress = {
    percent: progress?.percent ?? 0,
    hosts_done: progress?.hosts_done ?? 0,
    hosts_total: progress?.hosts_total ?? request.targets.length,
    findings_so_far: progress?.findings_so_far ?? 0,
    estimated: progress?.estimated ?? true,
    phase: 'cancelling',
    updated_at: new Date(store.clock.now()).toISOString(),
  };
  return JSON.stringify(shown);
}

/** What is left when nobody could end it: nobody owns it, but it may still run at its scanner, and is found there. */
export const abandoned = (store: Store): Changes => ({
  finished_at: store.clock.now(),
  owner: null,
  held: 0,
  retry_at: null,
});

/** What every other end of a scan leaves: nobody owns it and nothing runs at the scanner. */
export const ended = (store: Store): Changes => ({ ...abandoned(store), checkpoint: null });
