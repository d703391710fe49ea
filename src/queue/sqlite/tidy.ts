import { ERROR_CATALOG, type ErrorCode } from '../../model/errors.ts';
import type { ScanError } from '../../model/scan.ts';
import type { Slot } from '../queue.ts';
import { count } from './counts.ts';
import { queuedByPool } from './ranks.ts';
import { numberOf, storedScan, textOf, type StoredScan } from './row.ts';
import { hoursMs, many, change, type Store } from './store.ts';
import { abandoned, cancelling, ended, move } from './transition.ts';

/**
 * Worker ids on the list or with running scans that no longer work: dead, off the list, or frozen under our eyes.
 * @param self The worker that asks, which evidently works.
 */
export function lostWorkers(store: Store, self?: string): ReadonlySet<string> {
  const beats = new Map(
    many(store, 'SELECT worker_id, beat FROM workers').map(
      (row) => [textOf(row, 'worker_id'), numberOf(row, 'beat')] as const,
    ),
  );
  const owners = many(store, `SELECT DISTINCT owner FROM scans WHERE state = 'running'`);
  const lost = new Set(owners.map((row) => textOf(row, 'owner')).filter((owner) => !beats.has(owner)));
  for (const [workerId, beat] of beats) {
    if (workerId === self) continue;
    const frozen = store.watch.frozen(workerId, beat);
    if (frozen || !store.isAlive(workerId)) lost.add(workerId);
  }
  lost.delete(self ?? '');
  store.watch.keep(new Set(beats.keys()));
  return lost;
}

/** Columns of a scan that goes back to the queue keeping its checkpoint, and with it the slot at the scanner. */
export const requeued = (store: Store, { checkpoint, record }: StoredScan) => ({
  owner: null,
  queued_at: store.clock.now(),
  held: checkpoint ? 1 : 0,
  bound: checkpoint?.instance ?? record.request.pinned_instance ?? '',
});

/** Puts due retries and scans of lost workers back. Returns how many moved. */
export function tidy(store: Store, self: string, slots: readonly Slot[]): number {
  leap(store);
  const moved = reclaim(store, self) + wakeRetries(store);
  letGo(store, slots);
  return moved;
}

/** What waited before the wall clock leapt ahead has not waited for what was left out. */
function leap(store: Store): void {
  const jump = store.jumped();
  if (!jump) return;
  const sql = `UPDATE scans SET queued_at = queued_at + ? WHERE state = 'queued' AND queued_at <= ?`;
  change(store, sql, Math.round(jump.byMs), jump.from);
}

function reclaim(store: Store, self: string): number {
  let moved = 0;
  for (const owner of lostWorkers(store, self)) {
    // One that was only frozen puts itself back by its next heartbeat.
    change(store, 'DELETE FROM workers WHERE worker_id = ?', owner);
    const rows = many(store, `SELECT * FROM scans WHERE state = 'running' AND owner = ? ORDER BY id`, owner);
    for (const row of rows) reclaimOne(store, storedScan(row));
    moved += rows.length;
  }
  return moved;
}

/** What goes on at its scanner whoever watches has nothing to do with the end of its worker, until its report is read. */
function isBystander(store: Store, { checkpoint, record }: StoredScan): boolean {
  if (checkpoint?.phase !== 'launched' || checkpoint.readIn === record.epoch) return false;
  const limitMs = record.request.max_duration_minutes * 60_000;
  return store.clock.now() < (record.startedAt ?? 0) + limitMs;
}

function reclaimOne(store: Store, scan: StoredScan): void {
  const lost = scan.lost + (isBystander(store, scan) ? 0 : 1);
  count(store, 'lost', scan.record.request.pool);
  if (lost > store.settings.maxLostLeases) {
    const error = scanError('scan_aborted', `Its worker ended ${lost} times while running it.`);
    move(store, scan, 'failed', { ...abandoned(store), lost, error });
  } else if (scan.record.cancelRequested && !scan.checkpoint) {
    move(store, scan, 'cancelled', { ...ended(store), lost });
  } else {
    const progress = scan.record.cancelRequested ? { progress: cancelling(store, scan) } : {};
    move(store, scan, 'queued', { ...requeued(store, scan), ...progress, lost });
  }
}

/** Stored errors look like those that workers report. */
export function scanError(code: ErrorCode, message: string): string {
  const { hint, retryable } = ERROR_CATALOG[code];
  const error: ScanError = { code, message, hint, retryable };
  return JSON.stringify(error);
}

function wakeRetries(store: Store): number {
  const now = store.clock.now();
  // The clock was set back: a retry waits its own delay again, not the hour as well.
  change(
    store,
    `UPDATE scans SET retry_at = ?1 + retry_at - retry_from, retry_from = ?1
     WHERE state = 'retrying' AND retry_from > ?1`,
    now,
  );
  const due = many(store, `SELECT * FROM scans WHERE state = 'retrying' AND retry_at <= ? ORDER BY retry_at, id`, now);
  for (const row of due) {
    const scan = storedScan(row);
    move(store, scan, 'queued', { ...requeued(store, scan), retry_at: null, retry_from: null });
  }
  return due.length;
}

/** Fails what has waited too long. Returns how many moved. Call it when nothing can start. */
export function expire(store: Store): number {
  const hours = store.settings.queuedExpiryHours;
  const before = store.clock.now() - hoursMs(hours);
  let moved = 0;
  for (const pool of queuedByPool(store).keys()) {
    const rows = many(store, `SELECT * FROM scans WHERE state = 'queued' AND pool = ? AND queued_at < ?`, pool, before);
    const error = scanError('no_scanner_available', `No instance of pool ${pool} took it within ${hours} hours.`);
    for (const row of rows) move(store, storedScan(row), 'failed', { ...abandoned(store), error });
    moved += rows.length;
  }
  return moved;
}

/** Adoptions whose instance has been away for long may go elsewhere: it was removed, or will not come back soon. */
function letGo(store: Store, slots: readonly Slot[]): void {
  const before = store.clock.now() - store.settings.adoptPatienceMs;
  for (const pool of new Set(slots.map((slot) => slot.pool))) {
    const present = new Set(slots.filter((slot) => slot.pool === pool).map((slot) => slot.instance));
    for (const row of many(
      store,
      'SELECT id, bound FROM scans WHERE held = 1 AND pool = ? AND queued_at < ?',
      pool,
      before,
    )) {
      if (present.has(textOf(row, 'bound'))) continue;
      change(store, `UPDATE scans SET held = 0, bound = coalesce(pinned, '') WHERE id = ?`, numberOf(row, 'id'));
    }
  }
}
