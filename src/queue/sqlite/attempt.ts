import type { Progress, ScanResult } from '../../model/scan.ts';
import type { Claim, Outcome, StoredCheckpoint } from '../queue.ts';
import { countFindings } from './counts.ts';
import { noteDuration } from './durations.ts';
import { numberOf, storedScan, type StoredScan } from './row.ts';
import { one, change, type Store } from './store.ts';
import { requeued } from './tidy.ts';
import { cancelling, ended, move, record, type Changes } from './transition.ts';

/**
 * The scan, if this claim still owns it. The epoch alone fences: it rises with every claim, and a scan that left
 * `running` has no owner.
 */
function owned(store: Store, { scan, epoch }: Claim): StoredScan | undefined {
  const row = one(
    store,
    `SELECT * FROM scans WHERE scan_id = ? AND epoch = ? AND state = 'running' AND owner IS NOT NULL`,
    scan.scanId,
    epoch,
  );
  return row && storedScan(row);
}

export function renew(store: Store, { scan, epoch }: Claim): { owned: boolean; cancel: boolean } {
  const row = one(
    store,
    `SELECT cancel_requested FROM scans WHERE scan_id = ? AND epoch = ? AND state = 'running'`,
    scan.scanId,
    epoch,
  );
  return row ? { owned: true, cancel: numberOf(row, 'cancel_requested') === 1 } : { owned: false, cancel: false };
}

/** Runs `body` on the claimed scan in one transaction; false when the claim has been lost. */
async function fenced(store: Store, claim: Claim, body: (scan: StoredScan) => void): Promise<boolean> {
  return await store.write(() => {
    const scan = owned(store, claim);
    if (!scan) return false;
    body(scan);
    return true;
  });
}

export const checkpoint = (
  store: Store,
  claim: Claim,
  { phase, reference }: { phase: 'intent' | 'launched'; reference?: string },
): Promise<boolean> =>
  fenced(store, claim, ({ id }) => {
    const kept: StoredCheckpoint = {
      phase,
      instance: claim.instance,
      epoch: claim.epoch,
      ...(reference === undefined ? {} : { reference }),
    };
    change(store, 'UPDATE scans SET checkpoint = ? WHERE id = ?', JSON.stringify(kept), id);
  });

/** Nothing to note without something at a scanner: each of its lost workers counts anyway. */
export const reading = (store: Store, claim: Claim): Promise<boolean> =>
  fenced(store, claim, ({ id, checkpoint: kept }) => {
    if (kept?.phase !== 'launched') return;
    const noted: StoredCheckpoint = { ...kept, readIn: claim.epoch };
    change(store, 'UPDATE scans SET checkpoint = ? WHERE id = ?', JSON.stringify(noted), id);
  });

export async function progress(store: Store, claim: Claim, shown: Progress, externalScanId?: string): Promise<boolean> {
  const written = await fenced(store, claim, (scan) => {
    const phase = scan.record.cancelRequested ? 'cancelling' : shown.phase;
    record(store, scan.id, {
      progress: JSON.stringify({ ...shown, phase }),
      ...(externalScanId === undefined ? {} : { external_scan_id: externalScanId }),
    });
  });
  if (written) store.events.ring();
  return written;
}

export async function finish(store: Store, claim: Claim, outcome: Outcome): Promise<boolean> {
  const finished = await fenced(store, claim, (scan) => end(store, scan, outcome));
  if (finished) {
    store.jobs.ring(); // a slot is free
    store.events.ring();
  }
  return finished;
}

function end(store: Store, scan: StoredScan, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'retry':
      return retryLater(store, scan, outcome);
    case 'released':
      return release(store, scan);
    case 'completed':
      noteDuration(store, scan.record);
      move(store, scan, 'completed', { ...ended(store), ...visible(store, scan, outcome.result), error: null });
      return;
    case 'cancelled':
      move(store, scan, 'cancelled', { ...ended(store), ...visible(store, scan, outcome.result), error: null });
      return;
    case 'failed':
    case 'timed_out': {
      const error = JSON.stringify(outcome.error);
      move(store, scan, outcome.kind, { ...ended(store), ...visible(store, scan, outcome.result), error });
    }
  }
}

function visible(store: Store, { record: { epoch, engine } }: StoredScan, result: ScanResult | undefined): Changes {
  if (!result) return {};
  countFindings(store, engine, result);
  return { result: JSON.stringify(result), result_epoch: epoch };
}

/** A clean retry has nothing outside; with a cancel waiting there is no reason for another attempt. */
function retryLater(
  store: Store,
  scan: StoredScan,
  { error, delayMs, keepsRun = false }: Extract<Outcome, { kind: 'retry' }>,
): void {
  if (scan.record.cancelRequested) {
    move(store, scan, 'cancelled', ended(store));
    return;
  }
  const now = store.clock.now();
  const times = { retry_at: now + Math.max(0, Math.ceil(delayMs)), retry_from: now };
  const outside = keepsRun ? {} : { checkpoint: null };
  move(store, scan, 'retrying', { ...times, ...outside, owner: null, error: JSON.stringify(error) });
}

/** Given back at shutdown: the attempt did not count, and what runs outside is adopted by the next worker. */
function release(store: Store, scan: StoredScan): void {
  if (scan.record.cancelRequested && !scan.checkpoint) {
    move(store, scan, 'cancelled', ended(store));
    return;
  }
  const shown = scan.record.cancelRequested ? { progress: cancelling(store, scan) } : {};
  const attempt = Math.max(0, scan.record.attempt - 1);
  move(store, scan, 'queued', { ...requeued(store, scan), ...shown, attempt });
}
