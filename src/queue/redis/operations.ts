import type { ScanRecord } from '../../model/scan.ts';
import { countersFrom, type Counted } from '../counters.ts';
import {
  type OperatorFilter,
  type QueueGauges,
  type QueueOperations,
  type RemovedScan,
  type Retention,
} from '../operations.ts';
import { recordIfAny, recordOf } from './record.ts';
import { listOf, mapOf, numberOf, textsOf } from './reply.ts';
import { newRequestId } from './request-id.ts';
import { BOARD, COUNTERS, FIND, GAUGES, RELEASE_TURN, REMOVE_FINISHED, TAKE_TURN } from './scripts/operations.ts';
import type { RedisStore } from './store.ts';
import { workers } from './workers.ts';

/** Removed by one script: others wait for so many at most. */
const REMOVED_AT_ONCE = 200;

/** What operators and the housekeeper need, on the open store of a queue. */
export function createRedisOperations(store: RedisStore): QueueOperations {
  return {
    workers: () => workers(store),
    list: (filter) => list(store, filter),
    find: async (scanId) => recordIfAny(await store.run(FIND, scanId)),
    counters: async () => countersFrom(countedOf(mapOf(await store.run(COUNTERS)))),
    gauges: () => gauges(store),
    removeFinished: (retention) => removeFinished(store, retention),
    takeTurn: async (turn, holder, forMs) => (await store.run(TAKE_TURN, turn, holder, forMs)) === 1,
    releaseTurn: async (turn, holder) => void (await store.run(RELEASE_TURN, turn, holder)),
  };
}

async function list(
  store: RedisStore,
  { pool, states, offset, limit }: OperatorFilter,
): Promise<{ scans: readonly ScanRecord[]; total: number }> {
  const [total, page] = listOf(await store.run(BOARD, pool ?? '', offset, limit, ...new Set(states)));
  return { total: numberOf(total), scans: listOf(page).map(recordOf) };
}

/** Sums as scripts write them: `<name>:<pool>`, or `<name>:<part>:<pool or engine>`. */
function countedOf(sums: ReadonlyMap<string, string>): readonly Counted[] {
  return [...sums].flatMap(([key, n]): readonly Counted[] => {
    const [, name = '', rest = ''] = /^([a-z_]+):(.*)$/s.exec(key) ?? [];
    const [, part = '', label = ''] = /^([^:]*):(.*)$/s.exec(rest) ?? [];
    const count = numberOf(n);
    switch (name) {
      case 'finished':
      case 'findings':
        return [{ name, part, label, n: count }];
      case 'took':
        return [{ name: 'duration', part: part === 'inf' ? 'Infinity' : part, label, n: count }];
      case 'took_ms':
        return [{ name: 'duration_ms', part: '', label: rest, n: count }];
      default:
        return [{ name, part: '', label: rest, n: count }];
    }
  });
}

const COUNT_NAME = /^(queued|retrying|running|dead):(.*)$/s;

async function gauges(store: RedisStore): Promise<QueueGauges> {
  const [counts, waiting, active] = listOf(await store.run(GAUGES)).map(mapOf);
  const now = store.clock.now();
  const pools = [...(counts?.keys() ?? [])].flatMap((name) => COUNT_NAME.exec(name)?.[2] ?? []);
  const of = (state: string, pool: string): number => numberOf(counts?.get(`${state}:${pool}`) ?? 0);
  return {
    pools: [...new Set(pools)].toSorted().map((pool) => {
      const since = waiting?.get(pool);
      return {
        pool,
        queued: of('queued', pool),
        retrying: of('retrying', pool),
        running: of('running', pool),
        deadLetters: of('dead', pool),
        ...(since === undefined ? {} : { oldestQueuedMs: Math.max(0, now - numberOf(since)) }),
      };
    }),
    active: [...(active ?? [])]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, n]) => {
        const slash = key.indexOf('/');
        return { pool: key.slice(0, slash), instance: key.slice(slash + 1), count: numberOf(n) };
      }),
  };
}

async function removeFinished(store: RedisStore, retention: Retention): Promise<readonly RemovedScan[]> {
  const { finishedBefore, deadBefore, keepNewest, limit } = retention;
  const removed: RemovedScan[] = [];
  while (removed.length < limit) {
    const most = Math.min(REMOVED_AT_ONCE, limit - removed.length);
    const rules = [finishedBefore ?? '', deadBefore ?? '', keepNewest ?? ''];
    const gone = textsOf(await store.run(REMOVE_FINISHED, newRequestId(), ...rules, most));
    for (let i = 0; i + 1 < gone.length; i += 2) removed.push({ tenant: gone[i] ?? '', scanId: gone[i + 1] ?? '' });
    if (gone.length < most * 2) break;
  }
  return removed;
}
