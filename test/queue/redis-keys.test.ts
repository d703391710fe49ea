import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { clientOptions } from '../../src/queue/redis/client-options.ts';
import { openRedisQueue, type RedisQueue } from '../../src/queue/redis/queue.ts';
import { describeApiKeysContract, type ApiKeysHarness } from '../contracts/api-keys-contract.ts';
import { describeQuotasContract, type QuotasHarness } from '../contracts/quotas-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { newPrefix, REDIS_SETTINGS } from './redis-harness.ts';
import { fakeClock } from './sqlite-harness.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => await server.close());

function handles() {
  const [prefix, clock] = [`keys-${newPrefix()}`, fakeClock()];
  const open: RedisQueue[] = [];
  const restart = async (): Promise<void> => {
    for (const { queue } of open.splice(0)) await queue.close();
  };
  return {
    async open() {
      const made = await openRedisQueue({
        connect: (purpose) => new Redis(server.url, clientOptions(purpose)),
        prefix,
        clock,
        settings: REDIS_SETTINGS,
        durability: 'reply',
        isAlive: () => true,
      });
      open.push(made);
      return made;
    },
    now: () => clock.now(),
    advance: (ms: number) => clock.advance(ms),
    restart,
    close: restart,
  };
}

describeApiKeysContract('Redis', async (): Promise<ApiKeysHarness> => {
  const shared = handles();
  return { ...shared, open: async () => (await shared.open()).keys };
});

describeQuotasContract('Redis', async (): Promise<QuotasHarness> => handles());
