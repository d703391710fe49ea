import type { Caller } from '../../model/caller.ts';
import { apiKeyHash, prefixOfKey } from '../../model/api-key.ts';
import { AppError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ApiKey, ApiKeys } from '../../queue/api-keys.ts';

/** A key that was revoked is taken this much longer at most. */
const KEPT_MS = 1_000;
const MOST_KEPT = 10_000;

export const looksLikeKey = (token: string): boolean => token.startsWith('smx_');

/** Who has a key. @throws AppError unauthenticated, queue_unavailable */
export type KeyLogin = (token: string) => Promise<Caller>;

export function createKeyLogin({ keys, clock }: { readonly keys: ApiKeys; readonly clock: Clock }): KeyLogin {
  const kept = new Map<string, { readonly key: ApiKey; readonly until: number }>();
  const find = async (sha256: string): Promise<ApiKey | undefined> => {
    const known = kept.get(sha256);
    if (known && clock.monotonic() < known.until) return known.key;
    kept.delete(sha256);
    // From before the question, so that an answer that took long is not kept longer.
    const until = clock.monotonic() + KEPT_MS;
    const key = await keys.find(sha256);
    if (key) kept.set(sha256, { key, until });
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    return key;
  };
  return async (token) => {
    if (prefixOfKey(token) === undefined) throw refused('The key is mistyped or cut short: its checksum is wrong.');
    const key = await find(apiKeyHash(token));
    if (!key) throw refused('There is no such key.');
    if (key.revokedAt !== undefined) throw refused(`The key ${key.prefix} was revoked.`);
    if (key.expiresAt !== undefined && key.expiresAt <= clock.now())
      throw refused(`The key ${key.prefix} has expired.`);
    const scopes = new Set(key.scopes);
    return { tenant: key.tenant, name: `key:${key.prefix}`, isOperator: scopes.has('admin'), scopes };
  };
}

const refused = (message: string): AppError => new AppError('unauthenticated', message);
