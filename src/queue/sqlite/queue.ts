import { identityText, ownIdentity } from '../../platform/process-identity.ts';
import type { QueueOperations } from '../operations.ts';
import type { ScanQueue } from '../queue.ts';
import type { SuppressionList } from '../suppressions.ts';
import type { ApiKeys } from '../api-keys.ts';
import type { Quotas } from '../quotas.ts';
import type { ScanIndex } from '../scan-index.ts';
import { createApiKeys } from './api-keys.ts';
import type { ServerSecrets } from '../server-secrets.ts';
import { checkpoint, finish, progress, reading, renew } from './attempt.ts';
import { cancel, deadLetters, purgeDeadLetters, retryDeadLetter } from './cancel.ts';
import { claim } from './claim.ts';
import { medianMs, waitMs } from './durations.ts';
import { createEventWaits, events } from './events.ts';
import { createImports } from './imports.ts';
import { list } from './list.ts';
import { createOperations } from './operations.ts';
import {
  activeByInstance,
  createGet,
  createReadiness,
  instanceStates,
  liveCount,
  nextRetryInMs,
  putInstanceHealth,
  referencedAttempts,
  status,
} from './read.ts';
import { createQuotas } from './quotas.ts';
import { createScanIndex } from './scan-index.ts';
import { createServerSecrets } from './server-secrets.ts';
import { openStore, type SqliteQueueDeps, type Store } from './store.ts';
import { createSubmitting } from './submit.ts';
import { createSuppressionList } from './suppressions.ts';
import { createWorkWaits } from '../work-waits.ts';
import { heartbeat, mayHaveWork, retire } from './work.ts';
import { createWorkerSeat, type WorkerSeat } from './worker-seat.ts';

/** The queue on an open store, which `close` closes with it. */
export function createQueueOn(store: Store): ScanQueue {
  const submitting = createSubmitting(store);
  const imports = createImports(store);
  const eventWaits = createEventWaits(store);
  const workWaits = createWorkWaits({
    listen: (heard) => store.jobs.listen(heard),
    mayHaveWork: () => mayHaveWork(store),
  });
  const recordOf = createGet(store);
  const readiness = createReadiness(store);
  return {
    submit: (scan) => submitting.submit(scan),
    wouldDeduplicateTo: async (scan) => submitting.wouldDeduplicateTo(scan),
    recordImport: (scan) => imports.record(scan),
    recentImport: async (tenant, hash) => imports.recent(tenant, hash),
    get: async (tenant, scanId) => recordOf(tenant, scanId),
    list: async (tenant, filter) => list(store, tenant, filter),
    events: async (tenant, scanId, afterSeq, limit) => events(store, tenant, scanId, afterSeq, limit),
    waitForEvent: async (tenant, scanId, afterSeq, signal) => eventWaits.wait(tenant, scanId, afterSeq, signal),
    status: async (tenant, pool) => status(store, tenant, pool),
    readiness: async () => readiness(),
    expectedWaitMs: async (pool, position, slots) => waitMs(store, pool, position, slots),
    expectedDurationMs: async (pool) => medianMs(store, pool),
    cancel: (tenant, scanId, reason) => cancel(store, tenant, scanId, reason),
    deadLetters: async (tenant, limit) => deadLetters(store, tenant, limit),
    retryDeadLetter: (tenant, scanId) => retryDeadLetter(store, tenant, scanId),
    purgeDeadLetters: (tenant, before) => purgeDeadLetters(store, tenant, before),
    claim: (workerId, slots) => {
      workWaits.claiming();
      return claim(store, workerId, slots);
    },
    renew: async (claimed) => renew(store, claimed),
    checkpoint: (claimed, kept) => checkpoint(store, claimed, kept),
    reading: (claimed) => reading(store, claimed),
    progress: (claimed, shown, externalScanId) => progress(store, claimed, shown, externalScanId),
    finish: (claimed, outcome) => finish(store, claimed, outcome),
    heartbeat: (workerId, facts) => heartbeat(store, workerId, facts),
    retire: (workerId) => retire(store, workerId),
    waitForWork: (signal, timeoutMs) => workWaits.wait(signal, timeoutMs),
    nextRetryInMs: async () => nextRetryInMs(store),
    liveCount: async () => liveCount(store),
    putInstanceHealth: (pool, instance, health) => putInstanceHealth(store, pool, instance, health),
    instanceStates: async () => instanceStates(store),
    activeByInstance: async () => activeByInstance(store),
    referencedAttempts: async (scanIds) => referencedAttempts(store, scanIds),
    async close() {
      eventWaits.close();
      workWaits.close();
      store.close();
    },
  };
}

/** What one queue file holds, each part by its own port. */
export interface EmbeddedQueue {
  readonly queue: ScanQueue;
  readonly seat: WorkerSeat;
  readonly suppressions: SuppressionList;
  readonly index: ScanIndex;
  readonly operations: QueueOperations;
  readonly keys: ApiKeys;
  readonly quotas: Quotas;
  readonly secrets: ServerSecrets;
}

/**
 * The embedded queue: one SQLite file that any number of processes of this machine open, the seat of the one worker
 * process among them, what people judged about findings, and the index of what was looked at. `queue.close` closes all
 * of it.
 * @throws AppError storage_unusable, data_too_new, queue_unavailable
 */
export async function openSqliteQueue(deps: SqliteQueueDeps): Promise<EmbeddedQueue> {
  const store = await openStore(deps);
  return {
    queue: createQueueOn(store),
    seat: createWorkerSeat(store, identityText(ownIdentity())),
    suppressions: createSuppressionList(store),
    index: createScanIndex(store),
    operations: createOperations(store),
    keys: createApiKeys(store),
    quotas: createQuotas(store),
    secrets: createServerSecrets(store),
  };
}

/** @throws AppError storage_unusable, data_too_new, queue_unavailable */
export const createSqliteQueue = async (deps: SqliteQueueDeps): Promise<ScanQueue> =>
  createQueueOn(await openStore(deps));
