import { z } from 'zod';
import { Scope } from '../../model/caller.ts';
import { AppError } from '../../model/errors.ts';
import type { ApiKey, ApiKeys } from '../api-keys.ts';
import { listOf, mapOf, numberOf } from './reply.ts';
import { newRequestId } from './request-id.ts';
import { ADD_KEY, FIND_KEY, LIST_KEYS, REVOKE_KEY } from './scripts/keys.ts';
import type { RedisStore } from './store.ts';

export function createApiKeysOnRedis(store: RedisStore): ApiKeys {
  return {
    async add(key) {
      const facts = Object.entries(factsOf(key)).flat();
      if ((await store.run(ADD_KEY, key.prefix, key.sha256, ...facts)) === 1) return;
      throw new AppError('invalid_request', `There is a key ${key.prefix} already.`, { hint: 'Make another one.' });
    },
    async find(sha256) {
      const facts = mapOf(await store.run(FIND_KEY, sha256));
      return facts.size === 0 ? undefined : keyOf(facts);
    },
    list: async () => listOf(await store.run(LIST_KEYS)).map((reply) => keyOf(mapOf(reply))),
    revoke: async (prefix) => (await store.run(REVOKE_KEY, prefix, newRequestId())) === 1,
  };
}

const factsOf = (key: ApiKey): Readonly<Record<string, string | number>> => ({
  prefix: key.prefix,
  sha256: key.sha256,
  tenant: key.tenant,
  name: key.name,
  scopes: JSON.stringify(key.scopes),
  created: key.createdAt,
  ...(key.expiresAt === undefined ? {} : { expires: key.expiresAt }),
  ...(key.revokedAt === undefined ? {} : { revoked: key.revokedAt }),
});

const Facts = z.object({
  prefix: z.string(),
  sha256: z.string(),
  tenant: z.string(),
  name: z.string(),
  scopes: z.string(),
});

function keyOf(facts: ReadonlyMap<string, string>): ApiKey {
  const { scopes, ...texts } = Facts.parse(Object.fromEntries(facts));
  const held = z.array(z.string()).parse(JSON.parse(scopes));
  const [expires, revoked] = [facts.get('expires'), facts.get('revoked')];
  return {
    ...texts,
    // A scope that only a newer version knows opens nothing here.
    scopes: Scope.options.filter((scope) => held.includes(scope)),
    createdAt: numberOf(facts.get('created')),
    ...(expires === undefined ? {} : { expiresAt: numberOf(expires) }),
    ...(revoked === undefined ? {} : { revokedAt: numberOf(revoked) }),
  };
}
