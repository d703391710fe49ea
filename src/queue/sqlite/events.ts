import type { Progress } from '../../model/scan.ts';
import type { ScanEvent } from '../queue.ts';
import { jsonOf, numberOf, optionalNumber, stateOf } from './row.ts';
import { many, one, type Store } from './store.ts';

const MAX_EVENTS = 1_000;
const FIRST_SEQ = 1;
/** A ring may be lost; this often everyone looks unasked. */
const SLOW_LOOK_MS = 1_000;

export function events(
  store: Store,
  tenant: string,
  scanId: string,
  afterSeq: number,
  limit = MAX_EVENTS,
): readonly ScanEvent[] {
  const scan = one(store, 'SELECT id, created_at FROM scans WHERE scan_id = ? AND tenant = ?', scanId, tenant);
  if (!scan) return [];
  const most = Math.min(limit, MAX_EVENTS);
  const written = many(
    store,
    'SELECT seq, at, state, progress FROM events WHERE scan = ? AND seq > ? ORDER BY seq LIMIT ?',
    numberOf(scan, 'id'),
    afterSeq,
    most,
  ).map((row) => {
    const progress = jsonOf<Progress>(row, 'progress');
    const event = { scanId, seq: numberOf(row, 'seq'), at: numberOf(row, 'at'), state: stateOf(row) };
    return progress ? { ...event, progress } : event;
  });
  if (afterSeq >= FIRST_SEQ || written[0]?.seq === FIRST_SEQ) return written;
  // The first event says only what the record says, so a submit does not write it: two pages fewer per commit.
  return [{ scanId, seq: FIRST_SEQ, at: numberOf(scan, 'created_at'), state: 'queued' } as const, ...written].slice(
    0,
    most,
  );
}

/** By row id: left to itself SQLite walks the whole index of scans to save the sorting. */
export const CHANGED_SINCE = 'SELECT DISTINCT scan FROM events NOT INDEXED WHERE id > ?';

interface Waiter {
  readonly afterSeq: number;
  readonly done: (found: boolean) => void;
}

/** Everyone who waits for an event shares one listener and one look per ring. */
export interface EventWaits {
  wait(tenant: string, scanId: string, afterSeq: number, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

export function createEventWaits(store: Store): EventWaits {
  const waiters = new Map<number, Set<Waiter>>();
  let lastEvent = 0;
  let stop: (() => void) | undefined;

  const wake = (scan: number): void => {
    const seq = seqOf(store, scan);
    for (const waiter of waiters.get(scan) ?? []) if (seq > waiter.afterSeq) waiter.done(true);
  };
  const look = guarded(() => {
    const from = lastEvent;
    lastEvent = newestEvent(store);
    for (const row of many(store, CHANGED_SINCE, from)) wake(numberOf(row, 'scan'));
  });
  const lookAtAll = guarded(() => {
    lastEvent = newestEvent(store);
    for (const scan of waiters.keys()) wake(scan);
  });
  const start = (): void => {
    lastEvent = newestEvent(store);
    const deafen = store.events.listen(look);
    const timer = setInterval(lookAtAll, SLOW_LOOK_MS);
    stop = () => {
      deafen();
      clearInterval(timer);
      stop = undefined;
    };
  };

  return {
    wait(tenant, scanId, afterSeq, signal) {
      const row = one(store, 'SELECT id, event_seq FROM scans WHERE scan_id = ? AND tenant = ?', scanId, tenant);
      const id = optionalNumber(row ?? {}, 'id');
      if (signal.aborted || (row && numberOf(row, 'event_seq') > afterSeq)) return Promise.resolve(!signal.aborted);
      return new Promise((resolve) => {
        const aborted = (): void => waiter.done(false);
        const waiter: Waiter = {
          afterSeq,
          done(found) {
            signal.removeEventListener('abort', aborted);
            leave(waiters, id ?? 0, waiter);
            if (waiters.size === 0) stop?.();
            resolve(found);
          },
        };
        signal.addEventListener('abort', aborted, { once: true });
        if (!stop) start();
        waiters.set(id ?? 0, (waiters.get(id ?? 0) ?? new Set()).add(waiter));
        if (id !== undefined) wake(id); // an event may have come before the listener did
      });
    },
    close() {
      for (const group of waiters.values()) for (const waiter of group) waiter.done(false);
      stop?.();
    },
  };
}

function leave(waiters: Map<number, Set<Waiter>>, scan: number, waiter: Waiter): void {
  const group = waiters.get(scan);
  group?.delete(waiter);
  if (group?.size === 0) waiters.delete(scan);
}

const seqOf = (store: Store, id: number): number =>
  optionalNumber(one(store, 'SELECT event_seq FROM scans WHERE id = ?', id) ?? {}, 'event_seq') ?? 0;

const newestEvent = (store: Store): number =>
  optionalNumber(one(store, 'SELECT max(id) AS id FROM events') ?? {}, 'id') ?? 0;

/** A look that fails (a lock, a full disk) is made up for by the next. */
export function guarded(look: () => void): () => void {
  return () => {
    try {
      look();
    } catch {
      // The slow look comes back within a second; readers see the failure in their own call.
    }
  };
}
