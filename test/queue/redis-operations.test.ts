import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { clientOptions } from '../../src/queue/redis/client-options.ts';
import { openRedisQueue } from '../../src/queue/redis/queue.ts';
import type { ScanQueue } from '../../src/queue/queue.ts';
import { describeOperationsContract, type OperationsHarness } from '../contracts/operations-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { newPrefix, REDIS_SETTINGS } from './redis-harness.ts';
import { fakeClock } from './sqlite-harness.ts';

let server: RedisServer;
let raw: Redis;
beforeAll(async () => {
  server = await startRedis();
  raw = new Redis(server.url);
});
afterAll(async () => {
  raw.disconnect();
  await server.close();
});

async function harness(): Promise<OperationsHarness> {
  const prefix = newPrefix();
  const clock = fakeClock();
  const dead = new Set<string>();
  const open: ScanQueue[] = [];
  return {
    async open() {
      const opened = await openRedisQueue({
        connect: (purpose) => new Redis(server.url, clientOptions(purpose)),
        prefix,
        clock,
        settings: REDIS_SETTINGS,
        durability: 'reply',
        isAlive: (owner) => !dead.has(owner),
      });
      open.push(opened.queue);
      return opened;
    },
    advance: (ms) => clock.advance(ms),
    // Silence is told by the clock of the server, which goes as it goes.
    async passTime() {
      await delay(30);
      return 25;
    },
    setBack: (ms) => clock.setBack(ms),
    kill: (workerId) => void dead.add(workerId),
    now: () => clock.now(),
    writeState: async (scanId, state) => void (await raw.hset(`{${prefix}}:scan:${scanId}`, 'state', state)),
    async close() {
      for (const queue of open) await queue.close();
    },
  };
}

describeOperationsContract('the queue on Redis', harness);
