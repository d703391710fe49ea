import { Redis } from 'ioredis';
import type { ScanQueue } from '../../src/queue/queue.ts';
import { clientOptions } from '../../src/queue/redis/client-options.ts';
import { openRedisQueue } from '../../src/queue/redis/queue.ts';
import type { RedisQueueDeps } from '../../src/queue/redis/store.ts';
import {
  ADOPT_PATIENCE_MS,
  IDEMPOTENCY_HOURS,
  MAX_LOST_LEASES,
  QUEUED_EXPIRY_HOURS,
  type QueueHarness,
} from '../contracts/queue-contract.ts';
import { fakeClock } from './sqlite-harness.ts';

export const REDIS_SETTINGS = {
  idempotencyHours: IDEMPOTENCY_HOURS,
  queuedExpiryHours: QUEUED_EXPIRY_HOURS,
  maxLostLeases: MAX_LOST_LEASES,
  leaseMs: 60_000,
  adoptPatienceMs: ADOPT_PATIENCE_MS,
};

let prefixes = 0;
export const newPrefix = (): string => `test-${(prefixes += 1)}`;

export interface RedisHarness extends QueueHarness {
  /** `{prefix}:` */
  readonly keys: string;
}

/** Handles on one key prefix of a server, with one fake clock and fake workers. */
export async function redisHarness(url: string, over: Partial<RedisQueueDeps> = {}): Promise<RedisHarness> {
  const prefix = newPrefix();
  const clock = fakeClock();
  const dead = new Set<string>();
  const open: ScanQueue[] = [];
  return {
    keys: `{${prefix}}:`,
    async open() {
      const { queue } = await openRedisQueue({
        connect: (purpose) => new Redis(url, clientOptions(purpose)),
        prefix,
        clock,
        settings: REDIS_SETTINGS,
        durability: 'reply',
        isAlive: (owner) => !dead.has(owner),
        ...over,
      });
      open.push(queue);
      return queue;
    },
    advance: (ms) => clock.advance(ms),
    setBack: (ms) => clock.setBack(ms),
    kill: (workerId) => void dead.add(workerId),
    async freeze(observer) {
      for (let watched = 0; watched <= REDIS_SETTINGS.leaseMs; watched += 10_000) {
        await observer.claim('observer', []);
        clock.advance(10_000);
      }
    },
    async close() {
      for (const queue of open) await queue.close();
    },
  };
}
