import type { LimitSettings, OidcSettings } from '../../config/settings-auth.ts';
import { apiKeyHash, prefixOfKey } from '../../model/api-key.ts';
import type { Caller } from '../../model/caller.ts';
import { AppError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { ApiKeys } from '../../queue/api-keys.ts';
import type { Audit } from '../../scans/deps.ts';
import type { Authenticator } from '../deps.ts';
import { createKeyLogin, looksLikeKey } from './key-login.ts';
import { createRefusedLogins } from './refused-logins.ts';
import { createStanding } from './standing.ts';
import { createTokenBuckets } from './token-buckets.ts';
import { createTokenLogin } from './token-login.ts';

export interface AuthenticatorOptions {
  readonly keys: ApiKeys;
  readonly oidc: OidcSettings;
  readonly limits: LimitSettings;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  /** How often is asked whether what has something open still holds. */
  readonly recheckMs?: number;
}

/** Callers by API key or by token of the issuer. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { limits, clock } = options;
  const refused = createRefusedLogins(options, limits.failed_logins_per_minute);
  const proven = createProven(clock);
  const requests = createTokenBuckets(limits.requests_per_minute, () => clock.monotonic());
  const login = createLogin(options);
  const known = async (token: string, address: string): Promise<Caller> => {
    // One who guesses behind the same address must not lock out those who have a good key.
    const waitMs = proven.has(token) ? 0 : refused.waitMs(address);
    if (waitMs > 0) throw tooMany('Too many wrong keys or tokens came from this address.', waitMs);
    try {
      const caller = await login(token);
      proven.add(token);
      return caller;
    } catch (error) {
      if (error instanceof AppError && error.code === 'unauthenticated') {
        proven.forget(token);
        await refused.note({ address, why: error.message, prefix: prefixOfKey(token) });
      }
      throw error;
    }
  };
  const { log, recheckMs } = options;
  const recheck = (authorization: string): Promise<Caller> => login(bearerOf(authorization));
  return {
    standing: createStanding({ login: recheck, log, recheckMs }),
    async authenticate({ authorization, remoteAddress }) {
      if (authorization === undefined) throw nobody();
      const caller = await known(bearerOf(authorization), remoteAddress);
      if (limits.requests_per_minute === 0) return caller;
      const waitMs = requests.take(`${caller.tenant}\n${caller.name}`);
      if (waitMs > 0)
        throw tooMany(`${caller.name} sends more than ${limits.requests_per_minute} requests per minute.`, waitMs);
      return caller;
    },
  };
}

const nobody = (): AppError => new AppError('unauthenticated', 'The request does not say who sends it.');

/** Source: RFC 6750, 2.1. Empty for another scheme: no key and no token is that. */
const bearerOf = (authorization: string): string => /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1] ?? '';

function createLogin({ keys, oidc, clock }: AuthenticatorOptions): (token: string) => Promise<Caller> {
  const byKey = createKeyLogin({ keys, clock });
  const byToken = oidc.issuer === '' ? undefined : createTokenLogin(oidc, clock);
  return async (token) => {
    if (looksLikeKey(token)) return byKey(token);
    if (byToken && token !== '') return byToken(token);
    throw new AppError('unauthenticated', 'This is no API key of scanmux.');
  };
}

function tooMany(message: string, waitMs: number): AppError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return new AppError('rate_limited', message, {
    hint: `Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
    retryAfterSeconds: seconds,
  });
}

const PROVEN_MS = 600_000;
const MOST_PROVEN = 10_000;

/** Keys and tokens that were good not long ago. They are checked all the same. */
interface Proven {
  has(token: string): boolean;
  add(token: string): void;
  forget(token: string): void;
}

function createProven(clock: Clock): Proven {
  const until = new Map<string, number>();
  return {
    forget: (token) => void until.delete(apiKeyHash(token)),
    has: (token) => (until.get(apiKeyHash(token)) ?? -Infinity) > clock.monotonic(),
    add(token) {
      const hash = apiKeyHash(token);
      until.delete(hash);
      until.set(hash, clock.monotonic() + PROVEN_MS);
      const [oldest] = until.keys();
      if (until.size > MOST_PROVEN && oldest !== undefined) until.delete(oldest);
    },
  };
}
