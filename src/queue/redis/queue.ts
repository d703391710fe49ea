import type { ApiKeys } from '../api-keys.ts';
import type { QueueOperations } from '../operations.ts';
import type { ScanQueue } from '../queue.ts';
import type { Quotas } from '../quotas.ts';
import type { ScanIndex } from '../scan-index.ts';
import type { ServerSecrets } from '../server-secrets.ts';
import type { SuppressionList } from '../suppressions.ts';
import { createApiKeysOnRedis } from './api-keys.ts';
import { checkpoint, finish, progress, reading, renew } from './attempt.ts';
import { cancel, deadLetters, purgeDeadLetters, retryDeadLetter } from './cancel.ts';
import { createClaiming } from './claim.ts';
import { createEventWaits } from './event-waits.ts';
import { events } from './events.ts';
import { recentImport, recordImport } from './imports.ts';
import { list } from './list.ts';
import { createRedisOperations } from './operations.ts';
import {
  activeByInstance,
  expectedDurationMs,
  expectedWaitMs,
  get,
  instanceStates,
  liveCount,
  nextRetryInMs,
  putInstanceHealth,
  readiness,
  referencedAttempts,
} from './read.ts';
import { createQuotasOnRedis } from './quotas.ts';
import { status } from './status.ts';
import { createRedisScanIndex } from './scan-index.ts';
import { createRedisSecrets } from './server-secrets.ts';
import { createRedisSuppressions } from './suppressions.ts';
import { openRedisStore, type RedisQueueDeps, type RedisStore } from './store.ts';
import { submit, wouldDeduplicateTo } from './submit.ts';
import { createWorkWaits } from '../work-waits.ts';
import { heartbeat, mayHaveWork, retire } from './work.ts';

/** The queue on an open store, which `close` closes with it. */
export function createQueueOnRedis(store: RedisStore): ScanQueue {
  const claim = createClaiming(store);
  const eventWaits = createEventWaits(store);
  const workWaits = createWorkWaits({
    listen: (heard) => store.listen('jobs', heard),
    mayHaveWork: () => mayHaveWork(store),
  });
  return {
    submit: (scan) => submit(store, scan),
    wouldDeduplicateTo: (scan) => wouldDeduplicateTo(store, scan),
    recordImport: (scan) => recordImport(store, scan),
    recentImport: (tenant, hash) => recentImport(store, tenant, hash),
    get: (tenant, scanId) => get(store, tenant, scanId),
    list: (tenant, filter) => list(store, tenant, filter),
    events: (tenant, scanId, afterSeq, limit) => events(store, tenant, scanId, afterSeq, limit),
    waitForEvent: (tenant, scanId, afterSeq, signal) => eventWaits.wait(tenant, scanId, afterSeq, signal),
    status: (tenant, pool) => status(store, tenant, pool),
    readiness: () => readiness(store),
    expectedWaitMs: (pool, position, slots) => expectedWaitMs(store, pool, position, slots),
    expectedDurationMs: (pool) => expectedDurationMs(store, pool),
    cancel: (tenant, scanId, reason) => cancel(store, tenant, scanId, reason),
    deadLetters: (tenant, limit) => deadLetters(store, tenant, limit),
    retryDeadLetter: (tenant, scanId) => retryDeadLetter(store, tenant, scanId),
    purgeDeadLetters: (tenant, before) => purgeDeadLetters(store, tenant, before),
    claim: (workerId, slots) => {
      workWaits.claiming();
      return claim(workerId, slots);
    },
    renew: (claimed) => renew(store, claimed),
    checkpoint: (claimed, kept) => checkpoint(store, claimed, kept),
    reading: (claimed) => reading(store, claimed),
    progress: (claimed, shown, externalScanId) => progress(store, claimed, shown, externalScanId),
    finish: (claimed, outcome) => finish(store, claimed, outcome),
    heartbeat: (workerId, facts) => heartbeat(store, workerId, facts),
    retire: (workerId) => retire(store, workerId),
    waitForWork: (signal, timeoutMs) => workWaits.wait(signal, timeoutMs),
    nextRetryInMs: () => nextRetryInMs(store),
    liveCount: () => liveCount(store),
    putInstanceHealth: (pool, instance, health) => putInstanceHealth(store, pool, instance, health),
    instanceStates: () => instanceStates(store),
    activeByInstance: () => activeByInstance(store),
    referencedAttempts: (scanIds) => referencedAttempts(store, scanIds),
    async close() {
      eventWaits.close();
      workWaits.close();
      await store.close();
    },
  };
}

/** What one Redis holds, each part by its own port. */
export interface RedisQueue {
  readonly queue: ScanQueue;
  readonly suppressions: SuppressionList;
  readonly index: ScanIndex;
  readonly operations: QueueOperations;
  readonly secrets: ServerSecrets;
  readonly keys: ApiKeys;
  readonly quotas: Quotas;
}

/**
 * The queue that any number of processes on any machines share. `queue.close` closes all of it.
 * @throws AppError queue_unavailable, data_too_new
 */
export async function openRedisQueue(deps: RedisQueueDeps): Promise<RedisQueue> {
  const store = await openRedisStore(deps);
  return {
    queue: createQueueOnRedis(store),
    suppressions: createRedisSuppressions(store),
    index: createRedisScanIndex(store),
    operations: createRedisOperations(store),
    keys: createApiKeysOnRedis(store),
    quotas: createQuotasOnRedis(store),
    secrets: createRedisSecrets(store),
  };
}
