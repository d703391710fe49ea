import type { WorkerFacts } from '../operations.ts';
import { listOf } from './reply.ts';
import { HEARTBEAT, MAY_HAVE_WORK, RETIRE } from './scripts/workers.ts';
import type { RedisStore } from './store.ts';
import { lostWorkers, seenWorkersOf } from './workers.ts';

export async function mayHaveWork(store: RedisStore): Promise<boolean> {
  const [may, workers] = listOf(await store.run(MAY_HAVE_WORK));
  const lost = lostWorkers(store, seenWorkersOf(workers));
  return may === 1 || lost.size > 0;
}

export async function heartbeat(store: RedisStore, workerId: string, facts?: WorkerFacts): Promise<void> {
  await store.run(HEARTBEAT, workerId, facts ? JSON.stringify(facts) : '');
}

export async function retire(store: RedisStore, workerId: string): Promise<void> {
  await store.run(RETIRE, workerId);
}
