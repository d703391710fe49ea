import { afterAll, beforeAll } from 'vitest';
import { describeImportsContract } from '../contracts/imports-contract.ts';
import { describeQueueContract } from '../contracts/queue-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { redisHarness } from './redis-harness.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => await server.close());

describeQueueContract('Redis', () => redisHarness(server.url));
describeImportsContract('Redis', () => redisHarness(server.url));
