import { listOf, numberOf } from './reply.ts';
import { LAST_EVENTS, TOLD } from './scripts/read.ts';
import type { RedisStore } from './store.ts';

/** Messages may be lost; twice as often as one may be late we look whether one was. */
const SLOW_LOOK_MS = 500;
const ASKED_AT_ONCE = 200;
/** So many looks in a row that found something unheard: the connection does not bring messages any more. */
const MOST_MISSED_LOOKS = 3;

interface Waiter {
  readonly tenant: string;
  readonly scanId: string;
  readonly afterSeq: number;
  readonly done: (found: boolean) => void;
  /** The scan is there and the tenant's own. */
  isKnown: boolean;
}

/** All who wait for an event share one connection, and one look at what it may have lost. */
export interface EventWaits {
  wait(tenant: string, scanId: string, afterSeq: number, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

export function createEventWaits(store: RedisStore): EventWaits {
  const waiters = new Map<string, Set<Waiter>>();
  let stop: (() => void) | undefined;

  const look = createLook(store);
  const lookAtAll = (): void => {
    for (const group of waiters.values()) for (const waiter of group) look(waiter);
  };
  const heard = (scanId: string, seq: number): void => {
    for (const waiter of waiters.get(scanId) ?? []) {
      if (seq <= waiter.afterSeq) continue;
      if (waiter.isKnown) waiter.done(true);
      else look(waiter);
    }
  };
  const enter = (waiter: Waiter): void => {
    waiters.set(waiter.scanId, (waiters.get(waiter.scanId) ?? new Set()).add(waiter));
    stop ??= watchEvents(store, heard, lookAtAll);
    look(waiter);
  };
  const leave = (waiter: Waiter): void => {
    const group = waiters.get(waiter.scanId);
    group?.delete(waiter);
    if (group?.size === 0) waiters.delete(waiter.scanId);
    if (waiters.size > 0) return;
    stop?.();
    stop = undefined;
  };
  return {
    wait: (tenant, scanId, afterSeq, signal) =>
      signal.aborted
        ? Promise.resolve(false)
        : new Promise((resolve) => {
            const aborted = (): void => waiter.done(false);
            const waiter: Waiter = {
              tenant,
              scanId,
              afterSeq,
              isKnown: false,
              done(found) {
                signal.removeEventListener('abort', aborted);
                leave(waiter);
                resolve(found);
              },
            };
            signal.addEventListener('abort', aborted, { once: true });
            enter(waiter);
          }),
    close() {
      for (const group of waiters.values()) for (const waiter of group) waiter.done(false);
    },
  };
}

/** Looks at the scans of many waiters together. A look that fails is made up for by the next. */
function createLook(store: RedisStore): (waiter: Waiter) => void {
  const asked = new Set<Waiter>();
  const ask = async (waiters: readonly Waiter[]): Promise<void> => {
    const last = listOf(await store.run(LAST_EVENTS, ...waiters.flatMap(({ tenant, scanId }) => [tenant, scanId])));
    for (const [index, waiter] of waiters.entries()) {
      const seq = numberOf(last[index]);
      waiter.isKnown = seq > 0;
      if (seq > waiter.afterSeq && waiter.isKnown) waiter.done(true);
    }
  };
  const flush = (): void => {
    const all = [...asked];
    asked.clear();
    for (let from = 0; from < all.length; from += ASKED_AT_ONCE) {
      ask(all.slice(from, from + ASKED_AT_ONCE)).catch(() => undefined);
    }
  };
  return (waiter) => {
    if (asked.size === 0) setImmediate(flush);
    asked.add(waiter);
  };
}

/**
 * Events are numbered over all scans: when the store counts more than was heard half a second ago, one was lost.
 * @returns what ends it
 */
function watchEvents(
  store: RedisStore,
  heard: (scanId: string, seq: number) => void,
  mayHaveMissed: () => void,
): () => void {
  let last = -1;
  let toldBefore = -1;
  let missedLooks = 0;

  const deafen = store.listen('events', (message) => {
    if (message === undefined) return mayHaveMissed();
    const [nth, seq, scanId = ''] = message.split(' ');
    last = Math.max(last, Number(nth));
    heard(scanId, Number(seq));
  });
  const look = async (): Promise<void> => {
    const told = numberOf(await store.run(TOLD));
    const isFirst = toldBefore < 0;
    const wasReset = told < last; // another server, which had not got everything
    if (last < toldBefore || wasReset || isFirst) mayHaveMissed();
    missedLooks = last < toldBefore && !wasReset ? missedLooks + 1 : 0;
    if (last < toldBefore || wasReset || isFirst) last = told;
    toldBefore = told;
    if (missedLooks < MOST_MISSED_LOOKS) return;
    missedLooks = 0;
    store.renewMessages();
  };
  const timer = setInterval(() => void look().catch(() => undefined), SLOW_LOOK_MS);
  return () => {
    deafen();
    clearInterval(timer);
  };
}
