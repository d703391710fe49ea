import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Purpose } from './client-options.ts';
import { openConnection, withConnection } from './connection.ts';
import type { RedisClient } from './connection-watch.ts';
import { redisTarget, type RedisPlace } from './connection-target.ts';
import { examineRedis, preflight, type RedisReport } from './preflight.ts';
import { openRedisQueue, type RedisQueue } from './queue.ts';
import { createServerClock, type ServerClock } from './server-clock.ts';
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
  /** The wall clock of Redis. */
  readonly clock: Clock;
}

/**
 * The queue that any number of servers and workers on any machines share.
 * @throws AppError config_invalid, queue_unavailable, storage_unusable (it can lose scans), data_too_new
 */
export async function openSharedQueue(deps: SharedQueueDeps): Promise<SharedQueue> {
  const { place, prefix, allowVolatile, clock, settings, log } = deps;
  const target = redisTarget(place);
  const { shown } = target;
  const serverClock = createServerClock(clock, log);
  const report = await withConnection(target, async (client) => {
    const found = await preflight(client, { allowVolatile, log, shown });
    await serverClock.measure(client);
    return found;
  });
  const opened = await openRedisQueue({
    connect: (purpose) => watched(openConnection(target, purpose), purpose, { log, shown, serverClock }),
    prefix,
    clock: serverClock.clock,
    settings,
    durability: report.durability === 'waitaof' ? 'waitaof' : 'reply',
    log,
  });
  return { ...opened, clock: serverClock.clock, redis: { ...report, shown } };
}

interface Watching {
  readonly log: Log;
  readonly shown: string;
  readonly serverClock: ServerClock;
}

/** Clocks are compared this often: one may be set right, or leap. */
const CLOCK_EVERY_MS = 60_000;

/** After an outage another server may answer, a replica that was promoted, and be set up otherwise. */
function watched(client: RedisClient, purpose: Purpose, watching: Watching): RedisClient {
  if (purpose !== 'commands') return client;
  let isFirst = true;
  const compare = (): void => {
    // What fails now is asked again: the clock stays as it was known.
    if (client.status === 'ready') watching.serverClock.measure(client).catch(() => undefined);
  };
  const clocks = setInterval(compare, CLOCK_EVERY_MS).unref();
  client.on('end', () => clearInterval(clocks));
  client.on('ready', () => {
    compare();
    if (!isFirst) void examineAgain(client, watching);
    isFirst = false;
  });
  return client;
}

async function examineAgain(client: RedisClient, { log, shown }: Watching): Promise<void> {
  try {
    const { problems } = await examineRedis(client);
    for (const { said, fix } of problems) log.error({ redis: shown, fix }, `Redis may lose scans now: ${said}`);
  } catch {
    // It went away again; the next time it is back it is looked at.
  }
}
