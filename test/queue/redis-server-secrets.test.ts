import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { openConnection } from '../../src/queue/redis/connection.ts';
import { redisTarget } from '../../src/queue/redis/connection-target.ts';
import { createRedisSecrets } from '../../src/queue/redis/server-secrets.ts';
import { openRedisStore } from '../../src/queue/redis/store.ts';
import { describeServerSecretsContract } from '../contracts/server-secrets-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { SETTINGS } from './sqlite-harness.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.close());

describeServerSecretsContract('Redis', async () => {
  const prefix = randomUUID();
  return async () => {
    const store = await openRedisStore({
      connect: (purpose) => openConnection(redisTarget({ url: server.url }), purpose),
      prefix,
      clock: systemClock,
      settings: SETTINGS,
      durability: 'reply',
    });
    onTestFinished(() => store.close());
    return createRedisSecrets(store);
  };
});
