import { z } from 'zod';
import { Scope } from '../../model/caller.ts';
import { AppError } from '../../model/errors.ts';
import type { Row } from '../../platform/sqlite.ts';
import type { ApiKey, ApiKeys } from '../api-keys.ts';
import { numberOf, optionalNumber, textOf } from './row.ts';
import { change, many, one, type Store } from './store.ts';

export function createApiKeys(store: Store): ApiKeys {
  return {
    add: (key) => store.write(() => add(store, key)),
    async find(sha256) {
      const row = one(store, 'SELECT * FROM api_keys WHERE sha256 = ?', sha256);
      return row ? keyOf(row) : undefined;
    },
    list: async () => many(store, 'SELECT * FROM api_keys ORDER BY created_at DESC, prefix').map(keyOf),
    revoke: (prefix) => store.write(() => revoke(store, prefix)),
  };
}

function add(store: Store, key: ApiKey): void {
  const { prefix, sha256 } = key;
  if (one(store, 'SELECT 1 AS n FROM api_keys WHERE prefix = ? OR sha256 = ?', prefix, sha256)) {
    throw new AppError('invalid_request', `There is a key ${prefix} already.`, { hint: 'Make another one.' });
  }
  change(
    store,
    `INSERT INTO api_keys (prefix, sha256, tenant, name, scopes, created_at, expires_at, revoked_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    prefix,
    sha256,
    key.tenant,
    key.name,
    JSON.stringify(key.scopes),
    key.createdAt,
    key.expiresAt ?? null,
    key.revokedAt ?? null,
  );
}

const revoke = (store: Store, prefix: string): boolean =>
  change(
    store,
    'UPDATE api_keys SET revoked_at = ? WHERE prefix = ? AND revoked_at IS NULL',
    store.clock.now(),
    prefix,
  ) > 0;

/** A scope that only a newer version knows opens nothing here. */
function scopesOf(row: Row): readonly Scope[] {
  const scopes = z.array(z.string()).safeParse(JSON.parse(textOf(row, 'scopes')));
  if (!scopes.success) throw new AppError('storage_unusable', 'The queue file holds an unexpected value in "scopes".');
  return Scope.options.filter((scope) => scopes.data.includes(scope));
}

function keyOf(row: Row): ApiKey {
  const [expiresAt, revokedAt] = [optionalNumber(row, 'expires_at'), optionalNumber(row, 'revoked_at')];
  return {
    prefix: textOf(row, 'prefix'),
    sha256: textOf(row, 'sha256'),
    tenant: textOf(row, 'tenant'),
    name: textOf(row, 'name'),
    scopes: scopesOf(row),
    createdAt: numberOf(row, 'created_at'),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(revokedAt === undefined ? {} : { revokedAt }),
  };
}
