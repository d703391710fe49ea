import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import type { ScanQueue } from '../../src/queue/queue.ts';
import { clientOptions } from '../../src/queue/redis/client-options.ts';
import { openRedisQueue } from '../../src/queue/redis/queue.ts';
import { createInstallation, type Installation } from '../e2e/stdio-client.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { keepWorker, type Keeper } from './worker-chaos.ts';

/** An installation whose queue is in a Redis of its own, with any number of workers. */
export interface RedisInstallation extends Installation {
  readonly server: RedisServer;
  /** What its processes are started with. */
  readonly env: Readonly<Record<string, string>>;
  /** A handle on the queue, as another process has it. */
  readonly queue: ScanQueue;
  keepWorkers(count: number): readonly Keeper[];
}

/** `scanmux`: the prefix that settings.ts gives when none is set. */
export async function openChaosQueue(url: string, prefix = 'scanmux'): Promise<ScanQueue> {
  const { queue } = await openRedisQueue({
    connect: (purpose) => new Redis(url, clientOptions(purpose)),
    prefix,
    clock: systemClock,
    settings: { idempotencyHours: 48, queuedExpiryHours: 168 },
    durability: 'reply',
  });
  onTestFinished(() => queue.close());
  return queue;
}

export async function createRedisInstallation(files: Readonly<Record<string, string>>): Promise<RedisInstallation> {
  const server = await startRedis();
  onTestFinished(() => server.close());
  const installation = createInstallation(files);
  const env = { REDIS_URL: server.url };
  const queue = await openChaosQueue(server.url);
  let isOver = false;
  onTestFinished(() => void (isOver = true));
  return {
    ...installation,
    server,
    env,
    queue,
    keepWorkers: (count) => Array.from({ length: count }, () => keepWorker(installation, () => isOver, env)),
  };
}
