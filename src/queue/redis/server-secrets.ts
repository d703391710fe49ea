import { randomBytes } from 'node:crypto';
import type { ServerSecrets } from '../server-secrets.ts';
import { defineScript } from './script.ts';
import type { RedisStore } from './store.ts';

/** name, value to take when there is none (hex) */
const SECRET = defineScript(
  'secret',
  'take',
  `
redis.call('HSETNX', P .. 'secrets', ARGV[2], ARGV[3])
return redis.call('HGET', P .. 'secrets', ARGV[2])
`,
);

export const createRedisSecrets = (store: RedisStore): ServerSecrets => ({
  async secret(name) {
    const value = await store.run(SECRET, name, randomBytes(32).toString('hex'));
    return Buffer.from(String(value), 'hex');
  },
});
