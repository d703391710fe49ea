import type { Caller } from '../../model/caller.ts';
import { errorFacts } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Audit } from '../../scans/deps.ts';
import { createTokenBuckets } from './token-buckets.ts';

/** Who guesses must neither fill the disk nor hide others by it. */
const WRITTEN_PER_MINUTE = 60;

export interface RefusedLogin {
  readonly address: string;
  readonly why: string;
  /** Of a key, when it is one by its form. */
  readonly prefix?: string | undefined;
}

export interface RefusedLogins {
  /** Milliseconds the address must wait; 0 when it may try. */
  waitMs(address: string): number;
  /** Counts one and writes it down. Never throws: the refusal itself is what is told. */
  note(refused: RefusedLogin): Promise<void>;
}

interface Deps {
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
}

/** Nobody is known by then. */
const NOBODY: Pick<Caller, 'tenant'> = { tenant: '-' };

export function createRefusedLogins({ audit, clock, log }: Deps, perMinute: number): RefusedLogins {
  const failures = createTokenBuckets(perMinute, () => clock.monotonic());
  const room = createTokenBuckets(WRITTEN_PER_MINUTE, () => clock.monotonic());
  let unwritten = 0;
  return {
    waitMs: (address) => failures.look(placeOf(address)),
    async note({ address, why, prefix }) {
      failures.take(placeOf(address));
      if (room.take('all') > 0) {
        unwritten += 1;
        return;
      }
      const detail = {
        address,
        why,
        ...(prefix === undefined ? {} : { key: prefix }),
        ...(unwritten === 0 ? {} : { not_written: unwritten }),
      };
      unwritten = 0;
      await audit({
        caller: { ...NOBODY, name: `address:${address}` },
        action: 'login_refused',
        decision: 'unauthenticated',
        detail,
      }).catch((error: unknown) =>
        log.warn({ code: errorFacts(error).code }, 'a refused login could not be written down'),
      );
    },
  };
}

/** Whoever has one IPv6 address has its /64 (RFC 6177): it counts as one place. */
export function placeOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/s, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail = ''] = plain.split('::');
  const before = head.split(':').filter((part) => part !== '');
  const after = tail.split(':').filter((part) => part !== '');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}
