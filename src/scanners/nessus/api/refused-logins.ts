import { createHash } from 'node:crypto';
import type { AppError } from '../../../model/errors.ts';
import type { Timing } from './timing.ts';

/** A refused login is not tried again for this long: repeated ones lock the account. */
const REFUSED_MS = 10 * 60_000;

interface Refusal {
  readonly error: AppError;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/**
 * By clock, then by fingerprint of scanner, user name and password. Of the process and not of a client: a reload of the
 * settings makes new clients, and two pools may name one scanner. Other processes know nothing of it.
 */
const known = new WeakMap<object, Map<string, Refusal>>();
const turns = new Map<string, Promise<unknown>>();

/** What is known of one login. Another password is another login, and tried at once. */
export interface RefusedLogin {
  /** Why it was refused, when that is so recent that it must not be tried again. */
  recent(): AppError | undefined;
  note(error: AppError): void;
  /** One after the other: clients that start together must not all try what the first is refused. */
  inTurn<T>(login: () => Promise<T>): Promise<T>;
}

export function refusedLogins(
  timing: Pick<Timing, 'monotonic'>,
  login: readonly [where: string, username: string, password: string],
): RefusedLogin {
  const refusals = known.get(timing) ?? new Map<string, Refusal>();
  known.set(timing, refusals);
  const key = createHash('sha256').update(JSON.stringify(login)).digest('hex');
  const isRecent = ({ at }: Refusal): boolean => timing.monotonic() - at < REFUSED_MS;
  return {
    recent() {
      const refusal = refusals.get(key);
      return refusal && isRecent(refusal) ? refusal.error : undefined;
    },
    note(error) {
      for (const [other, refusal] of refusals) if (!isRecent(refusal)) refusals.delete(other);
      refusals.set(key, { error, at: timing.monotonic() });
    },
    async inTurn(login) {
      const before = turns.get(key) ?? Promise.resolve();
      const mine = before.then(login, login);
      turns.set(key, mine);
      try {
        return await mine;
      } finally {
        if (turns.get(key) === mine) turns.delete(key);
      }
    },
  };
}
