import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { clientOptions } from '../../src/queue/redis/client-options.ts';
import { openRedisQueue, type RedisQueue } from '../../src/queue/redis/queue.ts';
import { describeScanIndexContract } from '../contracts/scan-index-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { newPrefix, REDIS_SETTINGS } from './redis-harness.ts';
import { fakeClock } from './sqlite-harness.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.close());

async function harness() {
  const clock = fakeClock();
  const prefix = newPrefix();
  const open: RedisQueue[] = [];
  return {
    prefix,
    clock,
    async open() {
      const opened = await openRedisQueue({
        connect: (purpose) => new Redis(server.url, clientOptions(purpose)),
        prefix,
        clock,
        settings: REDIS_SETTINGS,
        durability: 'reply',
        isAlive: () => true,
      });
      open.push(opened);
      return opened;
    },
    advance: (ms: number) => clock.advance(ms),
    async close() {
      for (const { queue } of open) await queue.close();
    },
  };
}

describeScanIndexContract('the Redis index', harness);
