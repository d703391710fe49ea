import type { QueueReport, QueueStatusInput } from '../model/contract/lists.ts';
import { LOCAL_TENANT, operatesService } from '../model/caller.ts';
import { servedPools, type SeenWorker } from '../queue/operations.ts';
import type { PoolStatus, QueueStatus } from '../queue/queue.ts';
import type { Ask, ScanDeps } from './deps.ts';

type Deps = Pick<ScanDeps, 'queue' | 'operations' | 'registry' | 'quotas' | 'startsWorkers' | 'operatorTenants'>;

/** Workers listed; the count is of all. */
const MOST_WORKERS = 50;

export type GetQueueStatus = (input: QueueStatusInput, ask: Ask) => Promise<QueueReport>;

/**
 * How the caller's own scans stand. Only the expected wait, and so much of others, tells how busy the pools are.
 * @throws AppError pool_unknown, queue_unavailable
 */
export function createGetQueueStatus(deps: Deps): GetQueueStatus {
  const { queue, operations, registry, quotas, startsWorkers } = deps;
  return async ({ scanner_pool: only }, { caller }) => {
    const names = only === undefined ? registry.pools().map(({ name }) => name) : [registry.pool(only).name];
    const seesMachines = caller.tenant === LOCAL_TENANT || operatesService(caller, deps.operatorTenants);
    const [status, live, seen] = await Promise.all([
      queue.status(caller.tenant, only),
      quotas.liveByPool(caller.tenant),
      operations.workers(),
    ]);
    const shared = new Map(status.pools.map((pool) => [pool.pool, pool]));
    const own = new Map(live.map((pool) => [pool.pool, pool]));
    const dead = status.pools.flatMap(({ pool, deadLetters }) => (deadLetters > 0 ? [pool] : []));
    const all = [...new Set([...names, ...(only === undefined ? [...own.keys(), ...dead] : [])])];
    const pools = await Promise.all(
      all.map((name) =>
        entry({ queue, registry }, { ...idle(name), ...own.get(name) }, shared.get(name) ?? idle(name)),
      ),
    );
    const sum = (pick: (pool: (typeof pools)[number]) => number): number =>
      pools.reduce((n, pool) => n + pick(pool), 0);
    return {
      summary: `${sum((p) => p.queued)} queued, ${sum((p) => p.running)} running, ${sum((p) => p.retrying)} waiting for a retry, ${sum((p) => p.dead_letters)} dead letters. ${workers(status, seen, startsWorkers)}${unservedPart(pools, seen)}`,
      pools,
      workers: status.workers,
      live_workers: seen.slice(0, MOST_WORKERS).map((worker) => shownWorker(worker, seesMachines)),
      backend: status.backend,
      next: status.next.map(({ scanId, pool, priority }) => ({ scan_id: scanId, scanner_pool: pool, priority })),
    };
  };
}

function workers({ workers: count }: QueueStatus, seen: readonly SeenWorker[], startsWorkers: boolean): string {
  if (count > 0) {
    const draining = seen.filter((worker) => worker.draining).length;
    const ends = draining === 0 ? '' : `, ${draining} of them ending`;
    return `${count} worker${count === 1 ? '' : 's'} running${ends}.`;
  }
  return startsWorkers
    ? 'No worker runs now; one starts by itself as soon as a scan waits.'
    : 'No worker runs; scans wait until an operator starts one.';
}

/** With `worker --pools` there may be workers, and still none for a scan that waits. */
function unservedPart(pools: QueueReport['pools'], seen: readonly SeenWorker[]): string {
  const served = servedPools(seen);
  const left = pools.filter(({ pool, queued }) => queued > 0 && served?.has(pool) === false).map(({ pool }) => pool);
  return seen.length === 0 || left.length === 0 ? '' : ` None of them serves ${left.join(', ')}, where scans wait.`;
}

/** Machines and everybody's load are the operator's business; over stdio all of it is the caller's own. */
const shownWorker = (worker: SeenWorker, seesMachines: boolean): QueueReport['live_workers'][number] => ({
  ...(seesMachines ? { host: worker.host, running: worker.running } : {}),
  version: worker.version,
  ...(worker.pools === undefined ? {} : { pools: [...worker.pools] }),
  concurrency: worker.concurrency,
  beat_seconds_ago: Math.round(worker.beatAgoMs / 1000),
  draining: worker.draining,
});

const idle = (pool: string): PoolStatus => ({ pool, queued: 0, retrying: 0, running: 0, deadLetters: 0 });

async function entry(
  { queue, registry }: Pick<Deps, 'queue' | 'registry'>,
  status: Omit<PoolStatus, 'deadLetters'>,
  shared: PoolStatus,
): Promise<QueueReport['pools'][number]> {
  const slots = registry
    .available()
    .filter(({ pool }) => pool === status.pool)
    .reduce((sum, { limit }) => sum + limit, 0);
  const waitMs = await queue.expectedWaitMs(status.pool, shared.queued + 1, slots);
  return {
    pool: status.pool,
    queued: status.queued,
    retrying: status.retrying,
    running: status.running,
    dead_letters: shared.deadLetters,
    ...(status.oldestQueuedMs === undefined ? {} : { oldest_queued_seconds: Math.round(status.oldestQueuedMs / 1000) }),
    ...(waitMs === undefined ? {} : { expected_wait_seconds: Math.round(waitMs / 1000) }),
  };
}
