import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { RedisClient } from './connection-watch.ts';

/** Networks and pauses shift what is measured; less than this is left as it is. */
const NOTICED_MS = 250;
/** More than this an operator should hear of. */
const TOLD_MS = 60_000;

export interface ServerClock {
  /** The wall clock of Redis, as far as it is known; time that passes is measured here. */
  readonly clock: Clock;
  /** Compares our wall clock with that of the server. Fails as the client does. */
  measure(client: RedisClient): Promise<void>;
}

/**
 * One clock for all machines: expiry, retries and time limits are judged by whoever claims, and a machine whose clock is
 * days ahead would end the scans of all others.
 */
export function createServerClock(own: Clock, log: Log): ServerClock {
  let offset = 0;
  return {
    clock: { ...own, now: () => own.now() + offset, monotonic: () => own.monotonic() },
    async measure(client) {
      const [asked, began] = [own.now(), own.monotonic()];
      const [seconds = 0, micros = 0] = (await client.time()).map(Number);
      const halfWay = (own.monotonic() - began) / 2;
      const measured = Math.round(seconds * 1000 + micros / 1000 - (asked + halfWay));
      if (Math.abs(measured - offset) < NOTICED_MS) return;
      offset = Math.abs(measured) < NOTICED_MS ? 0 : measured;
      if (Math.abs(offset) < TOLD_MS) return;
      const facts = { behind_seconds: Math.round(offset / 1000) };
      log.warn(facts, 'the clock of this machine differs from that of Redis, which counts: set one of them right');
    },
  };
}
