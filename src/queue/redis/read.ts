import type { ScanRecord } from '../../model/scan.ts';
import { expectedWait, medianOf } from '../expected-wait.ts';
import { servedPools } from '../operations.ts';
import { instanceKey, type InstanceState, type PublishedHealth, type Readiness } from '../queue.ts';
import { recordIfAny } from './record.ts';
import { listOf, mapOf, numberOf, textsOf } from './reply.ts';
import { ACTIVE, DURATIONS, GET, INSTANCES, LIVE_COUNT, NEXT_RETRY, PUT_INSTANCE, REFERENCED } from './scripts/read.ts';
import type { RedisStore } from './store.ts';
import { workers } from './workers.ts';

const ASKED_AT_ONCE = 500;

export const get = async (store: RedisStore, tenant: string, scanId: string): Promise<ScanRecord | undefined> =>
  recordIfAny(await store.run(GET, tenant, scanId));

export async function readiness(store: RedisStore): Promise<Readiness> {
  const [live, instances] = await Promise.all([workers(store), instanceStates(store)]);
  return { hasWorker: live.length > 0, served: servedPools(live), instances };
}

export async function instanceStates(store: RedisStore): Promise<readonly InstanceState[]> {
  return textsOf(await store.run(INSTANCES)).map((text): InstanceState => JSON.parse(text));
}

export async function putInstanceHealth(
  store: RedisStore,
  pool: string,
  instance: string,
  health: PublishedHealth,
): Promise<void> {
  const state: InstanceState = { pool, instance, health, checkedAt: store.clock.now() };
  await store.run(PUT_INSTANCE, instanceKey(pool, instance), JSON.stringify(state));
}

export async function activeByInstance(store: RedisStore): Promise<ReadonlyMap<string, number>> {
  return new Map([...mapOf(await store.run(ACTIVE))].map(([key, n]) => [key, numberOf(n)] as const));
}

export const liveCount = async (store: RedisStore): Promise<number> => numberOf(await store.run(LIVE_COUNT));

export async function nextRetryInMs(store: RedisStore): Promise<number | undefined> {
  const ms = numberOf(await store.run(NEXT_RETRY));
  return ms < 0 ? undefined : ms;
}

interface Durations {
  readonly medianMs: number | undefined;
  readonly runningForMs: readonly number[];
}

async function durations(store: RedisStore, pool: string): Promise<Durations> {
  const [ended, began] = listOf(await store.run(DURATIONS, pool)).map((list) => listOf(list).map(numberOf));
  const now = store.clock.now();
  return { medianMs: medianOf(ended ?? []), runningForMs: (began ?? []).map((at) => now - at) };
}

export const expectedDurationMs = async (store: RedisStore, pool: string): Promise<number | undefined> =>
  (await durations(store, pool)).medianMs;

export async function expectedWaitMs(
  store: RedisStore,
  pool: string,
  position: number,
  slots: number,
): Promise<number | undefined> {
  const { medianMs, runningForMs } = await durations(store, pool);
  return expectedWait(medianMs, position, slots, runningForMs);
}

/** An attempt that may still be adopted, as long as it is known, counts as running: its folder may hold the report so far. */
export async function referencedAttempts(
  store: RedisStore,
  scanIds: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const kept = new Map<string, ReadonlySet<number>>();
  for (let from = 0; from < scanIds.length; from += ASKED_AT_ONCE) {
    const ids = scanIds.slice(from, from + ASKED_AT_ONCE);
    const found = listOf(await store.run(REFERENCED, ...ids));
    for (const [index, scanId] of ids.entries()) {
      const [isThere, going, visible] = listOf(found[index]);
      const epochs = [going, visible].filter((epoch) => epoch !== '').map(numberOf);
      if (isThere === 1) kept.set(scanId, new Set(epochs));
    }
  }
  return kept;
}
