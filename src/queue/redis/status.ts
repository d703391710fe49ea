import type { PoolStatus, QueueStatus } from '../queue.ts';
import { listOf, mapOf, numberOf, textOf } from './reply.ts';
import { STATUS } from './scripts/status.ts';
import type { RedisStore } from './store.ts';
import { liveWorkers, seenWorkersOf } from './workers.ts';

const NEXT_SHOWN = 10;

/** Dead letters are the tenant's own; load is that of everyone, because everyone waits for it. */
export async function status(store: RedisStore, tenant: string, pool?: string): Promise<QueueStatus> {
  const [counts, dead, oldest, workers, next] = listOf(await store.run(STATUS, tenant, pool ?? ''));
  const numbers = { counts: mapOf(counts), dead: mapOf(dead), oldest: mapOf(oldest), now: store.clock.now() };
  const names = pool === undefined ? poolsOf(numbers) : [pool];
  return {
    pools: names.map((name) => poolStatus(name, numbers)),
    workers: liveWorkers(store, seenWorkersOf(workers)).length,
    backend: 'redis',
    next: nextOf(next),
  };
}

interface Numbers {
  readonly counts: ReadonlyMap<string, string>;
  readonly dead: ReadonlyMap<string, string>;
  readonly oldest: ReadonlyMap<string, string>;
  readonly now: number;
}

const LIVE_NAME = /^(?:queued|running|retrying):(.*)$/s;

function poolsOf({ counts, dead }: Numbers): readonly string[] {
  const live = [...counts.keys()].flatMap((name) => LIVE_NAME.exec(name)?.[1] ?? []);
  return [...new Set([...live, ...dead.keys()])].toSorted();
}

function poolStatus(pool: string, { counts, dead, oldest, now }: Numbers): PoolStatus {
  const count = (state: string): number => numberOf(counts.get(`${state}:${pool}`) ?? 0);
  const since = oldest.get(pool);
  return {
    pool,
    queued: count('queued'),
    retrying: count('retrying'),
    running: count('running'),
    deadLetters: numberOf(dead.get(pool) ?? 0),
    ...(since === undefined ? {} : { oldestQueuedMs: Math.max(0, now - numberOf(since)) }),
  };
}

/** Pools are not ranked against one another; within one, scans stand by round and ticket. */
function nextOf(reply: unknown): QueueStatus['next'] {
  return listOf(reply)
    .map((found) => {
      const [scanId, pool, priority, round, ticket] = listOf(found);
      return {
        scanId: textOf(scanId),
        pool: textOf(pool),
        priority: numberOf(priority),
        round: numberOf(round),
        ticket: numberOf(ticket),
      };
    })
    .toSorted(
      (a, b) =>
        a.priority - b.priority ||
        Number(a.pool > b.pool) - Number(a.pool < b.pool) ||
        a.round - b.round ||
        a.ticket - b.ticket,
    )
    .slice(0, NEXT_SHOWN)
    .map(({ scanId, pool, priority }) => ({ scanId, pool, priority }));
}
