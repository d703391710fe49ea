import { randomBytes } from 'node:crypto';
import type { ServerSecrets } from '../server-secrets.ts';
import { textOf } from './row.ts';
import { change, one, type Store } from './store.ts';

const FIND = 'SELECT hex(value) AS value FROM server_secrets WHERE name = ?';

export const createServerSecrets = (store: Store): ServerSecrets => ({
  async secret(name) {
    const known = one(store, FIND, name);
    const row =
      known ??
      (await store.write(() => {
        const made = randomBytes(32).toString('hex');
        change(store, 'INSERT OR IGNORE INTO server_secrets (name, value) VALUES (?, unhex(?))', name, made);
        return one(store, FIND, name);
      }));
    return Buffer.from(textOf(row ?? {}, 'value'), 'hex');
  },
});
