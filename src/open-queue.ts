import type { RedisSettings } from './config/settings-redis.ts';
import type { Settings } from './config/settings.ts';
import type { Clock } from './platform/clock.ts';
import type { Log } from './platform/log.ts';
import type { QueueOperations } from './queue/operations.ts';
import type { ApiKeys } from './queue/api-keys.ts';
import type { ScanQueue } from './queue/queue.ts';
import type { Quotas } from './queue/quotas.ts';
import type { SharedQueue } from './queue/redis/open.ts';
import { parseRedisUrl } from './queue/redis/connection-url.ts';
import type { RedisPlace } from './queue/redis/connection-target.ts';
import type { ScanIndex } from './queue/scan-index.ts';
import { openSqliteQueue } from './queue/sqlite/queue.ts';
import type { WorkerSeat } from './queue/sqlite/worker-seat.ts';
import type { ServerSecrets } from './queue/server-secrets.ts';
import type { SuppressionList } from './queue/suppressions.ts';

/** The queue of this installation, wherever it is. */
export interface OpenedQueue {
  readonly queue: ScanQueue;
  readonly suppressions: SuppressionList;
  readonly index: ScanIndex;
  readonly operations: QueueOperations;
  readonly secrets: ServerSecrets;
  readonly keys: ApiKeys;
  readonly quotas: Quotas;
  /** Who runs the scans of a data folder; of a shared queue, whoever wants. */
  readonly seat: WorkerSeat;
  /** The wall clock that counts for its scans. */
  readonly clock: Clock;
  /** Present when it is shared between machines: then no server starts a worker process; `serve` may work itself. */
  readonly redis: SharedQueue['redis'] | undefined;
}

export interface QueueOptions {
  readonly settings: Settings;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * In Redis when the settings name one, else in a file of the data folder.
 * @throws AppError config_invalid, storage_unusable, data_too_new, queue_unavailable
 */
export async function openQueue(options: QueueOptions): Promise<OpenedQueue> {
  const { settings, dataFolder: folder, clock } = options;
  const { redis } = settings;
  if (redis.url !== undefined) return await openShared(redis, redis.url, options);
  const leaseMs = leaseMsOf(settings);
  const reserveBytes = settings.storage_reserve_mb * 2 ** 20;
  const opened = await openSqliteQueue({ folder, clock, settings: { ...lifetimes(settings), reserveBytes, leaseMs } });
  return { ...opened, clock, redis: undefined };
}

/** How long a worker may be silent; its heartbeats come several times as often. */
export const leaseMsOf = ({ redis, worker }: Settings): number =>
  (redis.url === undefined ? worker.lease_seconds : redis.lease_seconds) * 1000;

const lifetimes = (settings: Settings) => ({
  idempotencyHours: settings.idempotency_hours,
  queuedExpiryHours: settings.queued_expiry_hours,
});

const RESULTS_NOT_SHARED =
  'The queue is in Redis, but results stay in the data folder, where other machines cannot read them: set artefacts.folder ' +
  'to a folder on a volume that servers and workers share, or artefacts.store: s3.';

/** Whether the settings name a Redis that can be asked for. @throws AppError config_invalid, quoting nothing of the URL */
export function checkQueueSettings({ redis }: Pick<Settings, 'redis'>): void {
  if (redis.url !== undefined) parseRedisUrl(redis.url);
}

/** Loaded only then: a server on a file starts without the Redis client. */
async function openShared(redis: RedisSettings, url: string, { settings, clock, log }: QueueOptions) {
  if (settings.artefacts.store === 'directory' && settings.artefacts.folder === '') {
    log.warn({ artefacts: settings.artefacts.store }, RESULTS_NOT_SHARED);
  }
  const { openSharedQueue } = await import('./queue/redis/open.ts');
  const shared = await openSharedQueue({
    place: placeOf(redis, url),
    prefix: redis.prefix,
    allowVolatile: settings.allow_volatile_redis,
    clock,
    settings: { ...lifetimes(settings), leaseMs: leaseMsOf(settings) },
    log,
  });
  return { ...shared, seat: anySeat(shared.queue) };
}

const placeOf = (redis: RedisSettings, url: string): RedisPlace => ({
  url,
  username: redis.username,
  passwordFile: redis.password_file,
  cluster: redis.cluster,
  sentinels: redis.sentinels,
  masterName: redis.master_name,
  sentinelUsername: redis.sentinel_username,
  sentinelPasswordFile: redis.sentinel_password_file,
  tls: {
    caFile: redis.tls.ca_file,
    certFile: redis.tls.cert_file,
    keyFile: redis.tls.key_file,
    serverName: redis.tls.server_name,
  },
});

/** There is room for every worker, and none leaves because there is nothing to do: nobody would start the next one. */
const anySeat = (queue: ScanQueue): WorkerSeat => ({
  take: () => Promise.resolve(true),
  holder: async () => ((await queue.readiness()).hasWorker ? SOMEBODY : undefined),
  releaseIfIdle: () => Promise.resolve(false),
  release: () => Promise.resolve(),
});

const SOMEBODY = 'any of the workers';
