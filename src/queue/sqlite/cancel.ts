import { AppError } from '../../model/errors.ts';
import { isDeadLetter, isFinal, type ScanRecord } from '../../model/scan.ts';
import type { CancelEffect } from '../queue.ts';
import { nextRank } from './lanes.ts';
import { removeScans } from './remove.ts';
import { numberOf, recordOf, storedScan, textOf, type StoredScan } from './row.ts';
import { many, one, type Store } from './store.ts';
import { withPosition } from './submit.ts';
import { unindex } from './scan-index.ts';
import { requeued } from './tidy.ts';
import { cancelling, ended, move, record, reread } from './transition.ts';

function find(store: Store, tenant: string, scanId: string): StoredScan {
  const row = one(store, 'SELECT * FROM scans WHERE scan_id = ? AND tenant = ?', scanId, tenant);
  if (!row) throw new AppError('scan_not_found', `There is no scan ${scanId}.`);
  return storedScan(row);
}

export async function cancel(
  store: Store,
  tenant: string,
  scanId: string,
  reason?: string,
): Promise<{ effect: CancelEffect; scan: ScanRecord }> {
  const done = await store.write(() => cancelOne(store, find(store, tenant, scanId), reason ?? null));
  if (done.effect !== 'already_final') {
    store.jobs.ring();
    store.events.ring();
  }
  return done;
}

function cancelOne(store: Store, scan: StoredScan, reason: string | null): { effect: CancelEffect; scan: ScanRecord } {
  if (isFinal(scan.record.state)) return { effect: 'already_final', scan: scan.record };
  // A queued scan with a checkpoint may still run at its scanner: a worker has to end it there.
  if (scan.record.state !== 'running' && !scan.checkpoint) {
    const flags = { cancel_requested: 1, cancel_reason: reason };
    return { effect: 'removed', scan: move(store, scan, 'cancelled', { ...ended(store), ...flags }).record };
  }
  if (!scan.record.cancelRequested) {
    const now = scan.record.state === 'retrying' ? { retry_at: store.clock.now() } : {};
    record(store, scan.id, { ...now, cancel_requested: 1, cancel_reason: reason, progress: cancelling(store, scan) });
  }
  return { effect: 'signalled', scan: reread(store, scan.id).record };
}

/** Newest first. */
export const deadLetters = (store: Store, tenant: string, limit: number): readonly ScanRecord[] =>
  many(
    store,
    `SELECT * FROM scans WHERE tenant = ? AND state IN ('failed', 'timed_out')
     ORDER BY finished_at DESC, id DESC LIMIT ?`,
    tenant,
    limit,
  ).map(recordOf);

/** Nothing of the earlier attempts but the epoch, the events, and what may still run at the scanner. */
const FRESH = {
  attempt: 0,
  lost: 0,
  cancel_requested: 0,
  cancel_reason: null,
  instance: null,
  external_scan_id: null,
  started_at: null,
  finished_at: null,
  progress: null,
  result: null,
  result_epoch: null,
  error: null,
} as const;

export async function retryDeadLetter(store: Store, tenant: string, scanId: string): Promise<ScanRecord> {
  const scan = await store.write(() => {
    const dead = find(store, tenant, scanId);
    const { state, request } = dead.record;
    if (!isDeadLetter(state)) throw new AppError('invalid_request', `${scanId} is ${state}, not a dead letter.`);
    unindex(store, tenant, [dead.id]);
    const fresh = {
      rank: nextRank(store, request.pool, request.priority, tenant),
      ...FRESH,
      ...requeued(store, dead),
    };
    const { id } = move(store, dead, 'queued', fresh);
    return withPosition(store, one(store, 'SELECT * FROM scans WHERE id = ?', id) ?? {});
  });
  store.jobs.ring();
  store.events.ring();
  return scan;
}

/** Their idempotency keys outlive them: a late repeat of the call must not scan again. */
export async function purgeDeadLetters(store: Store, tenant: string, before: number): Promise<readonly string[]> {
  return await store.write(() => {
    const rows = many(
      store,
      `SELECT id, scan_id FROM scans WHERE tenant = ? AND state IN ('failed', 'timed_out') AND finished_at < ?`,
      tenant,
      before,
    );
    removeScans(
      store,
      tenant,
      rows.map((row) => numberOf(row, 'id')),
    );
    return rows.map((row) => textOf(row, 'scan_id'));
  });
}
