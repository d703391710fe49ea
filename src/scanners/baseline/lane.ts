import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../platform/clock.ts';
import { createGate, type Gate } from './gate.ts';
import { SOCKETS_PER_HOST, type Limits } from './limits.ts';

/** What is shared by all hosts of one scan. */
export interface ScanLimits {
  readonly limits: Limits;
  readonly sockets: Gate;
  readonly clock: Clock;
  /** Requests left to the whole scan. */
  budget: number;
}

/**
 * The way to one host: bounded sockets, rate, requests and time. What the limits forbid is not done and is remembered
 * in `shortOf`, so that the place is never called tested as asked.
 */
export interface Lane {
  /** Aborts with the scan, and when the time for this host is up. */
  readonly signal: AbortSignal;
  /** Why something was left out; undefined while nothing was. */
  readonly shortOf: string | undefined;
  /** Runs `body` while holding one socket's place; no further `socket` or `probe` inside. Undefined: time is up. */
  socket<T>(body: () => Promise<T>): Promise<T | undefined>;
  /** One request on a socket that is held already. Undefined: the budget or the time is used up. */
  request<T>(body: () => Promise<T>): Promise<T | undefined>;
  /** One connection that is not counted: whether a port is open. */
  connect<T>(body: () => Promise<T>): Promise<T | undefined>;
  /** One counted request on a connection of its own. */
  ask<T>(body: () => Promise<T>): Promise<T | undefined>;
  close(): void;
}

/** Spaces starts evenly: a burst is what hurts small devices. */
function createPacer({ limits, clock }: ScanLimits, signal: AbortSignal): () => Promise<void> {
  let nextAt = 0;
  return async () => {
    const now = clock.monotonic();
    const at = Math.max(now, nextAt);
    nextAt = at + 1_000 / limits.ratePerHost;
    if (at > now) await delay(at - now, undefined, { signal });
  };
}

/** Takes one request from the budgets of host and scan, or says which one is empty. */
function createPurse(scan: ScanLimits, empty: (why: string) => void): () => boolean {
  const { requestsPerHost, requestsPerScan } = scan.limits;
  let left = requestsPerHost;
  return () => {
    if (left > 0 && scan.budget > 0) {
      left -= 1;
      scan.budget -= 1;
      return true;
    }
    const [count, what] = left > 0 ? [requestsPerScan, 'scan'] : [requestsPerHost, 'host'];
    empty(`the ${count} requests for one ${what} were used up`);
    return false;
  };
}

/** @param signal Of the scan. Every method throws its reason once it is aborted. */
export function createLane(scan: ScanLimits, signal: AbortSignal): Lane {
  const { limits, sockets } = scan;
  const own = createGate(SOCKETS_PER_HOST);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // Every port that waits for its turn listens.
  const onAbort = (): void => stop.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => {
    shortOf ??= `the ${limits.hostMs / 1_000} s for one host were used up`;
    stop.abort(new Error('time for this host is up'));
  }, limits.hostMs);
  let shortOf: string | undefined;
  const pace = createPacer(scan, stop.signal);

  const spend = createPurse(scan, (why) => (shortOf ??= why));

  /** What the host's own time limit cuts off is not done; what the scan's end cuts off is thrown. */
  const guarded = async <T>(body: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await body();
    } catch (error) {
      signal.throwIfAborted();
      if (stop.signal.aborted) return undefined;
      throw error;
    } finally {
      signal.throwIfAborted();
    }
  };

  const socket = <T>(body: () => Promise<T>): Promise<T | undefined> =>
    guarded(() => own.hold(stop.signal, () => sockets.hold(stop.signal, body)));
  const paced = async <T>(body: () => Promise<T>): Promise<T> => {
    await pace();
    return body();
  };
  const request = <T>(body: () => Promise<T>): Promise<T | undefined> =>
    guarded(async () => (stop.signal.aborted || !spend() ? undefined : paced(body)));

  return {
    signal: stop.signal,
    get shortOf() {
      return shortOf;
    },
    socket,
    request,
    connect: (body) => socket(() => paced(body)),
    ask: (body) => socket(() => request(body)),
    close() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}
