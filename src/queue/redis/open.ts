import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { openConnection, withConnection } from './connection.ts';
import { redisTarget, type RedisPlace } from './connection-target.ts';
import { preflight, type RedisReport } from './preflight.ts';
import { openRedisQueue, type RedisQueue } from './queue.ts';
import type { RedisQueueSettings } from './store.ts';

export interface SharedQueueDeps {
  readonly place: RedisPlace;
  /** Without braces. */
  readonly prefix: string;
  readonly allowVolatile: boolean;
  readonly clock: Clock;
  readonly settings: RedisQueueSettings;
  readonly log: Log;
}

/** What one Redis holds, each part by its own port, and what it is like. `queue.close` closes all of it. */
export interface SharedQueue extends RedisQueue {
  readonly redis: RedisReport & { readonly shown: string };
}

/**
 * The queue that any number of servers and workers on any machines share.
 * @throws AppError config_invalid, queue_unavailable, storage_unusable (it can lose scans), data_too_new
 */
export async function openSharedQueue(deps: SharedQueueDeps): Promise<SharedQueue> {
  const { place, prefix, allowVolatile, clock, settings, log } = deps;
  const target = redisTarget(place);
  const { shown } = target;
  const report = await withConnection(target, (client) => preflight(client, { allowVolatile, log, shown }));
  const opened = await openRedisQueue({
    connect: (purpose) => openConnection(target, purpose),
    prefix,
    clock,
    settings,
    durability: report.durability === 'waitaof' ? 'waitaof' : 'reply',
    log,
  });
  return { ...opened, redis: { ...report, shown } };
}
