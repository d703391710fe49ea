import type { QueueReport, QueueStatusInput } from '../model/contract/lists.ts';
import type { PoolStatus, QueueStatus } from '../queue/queue.ts';
import type { Ask, ScanDeps } from './deps.ts';

type Deps = Pick<ScanDeps, 'queue' | 'registry'>;

export type GetQueueStatus = (input: QueueStatusInput, ask: Ask) => Promise<QueueReport>;

/** @throws AppError pool_unknown, queue_unavailable */
export function createGetQueueStatus({ queue, registry }: Deps): GetQueueStatus {
  return async ({ scanner_pool: only }, { caller }) => {
    const names = only === undefined ? registry.pools().map(({ name }) => name) : [registry.pool(only).name];
    const status = await queue.status(caller.tenant, only);
    const known = new Map(status.pools.map((pool) => [pool.pool, pool]));
    const all = [...new Set([...names, ...(only === undefined ? known.keys() : [])])];
    const pools = await Promise.all(all.map((name) => entry({ queue, registry }, known.get(name) ?? idle(name))));
    const sum = (pick: (pool: (typeof pools)[number]) => number): number =>
      pools.reduce((n, pool) => n + pick(pool), 0);
    return {
      summary: `${sum((p) => p.queued)} queued, ${sum((p) => p.running)} running, ${sum((p) => p.retrying)} waiting for a retry, ${sum((p) => p.dead_letters)} dead letters. ${workers(status)}`,
      pools,
      workers: status.workers,
      backend: status.backend,
      next: status.next.map(({ scanId, pool, priority }) => ({ scan_id: scanId, scanner_pool: pool, priority })),
    };
  };
}

function workers({ workers: count, backend }: QueueStatus): string {
  if (count > 0) return `${count} worker${count === 1 ? '' : 's'} running.`;
  return backend === 'redis'
    ? 'No worker runs; scans wait until an operator starts one.'
    : 'No worker runs now; one is started with the next scan.';
}

const idle = (pool: string): PoolStatus => ({ pool, queued: 0, retrying: 0, running: 0, deadLetters: 0 });

async function entry({ queue, registry }: Deps, status: PoolStatus): Promise<QueueReport['pools'][number]> {
  const slots = registry
    .available()
    .filter(({ pool }) => pool === status.pool)
    .reduce((sum, { limit }) => sum + limit, 0);
  const waitMs = await queue.expectedWaitMs(status.pool, status.queued + 1, slots);
  return {
    pool: status.pool,
    queued: status.queued,
    retrying: status.retrying,
    running: status.running,
    dead_letters: status.deadLetters,
    ...(status.oldestQueuedMs === undefined ? {} : { oldest_queued_seconds: Math.round(status.oldestQueuedMs / 1000) }),
    ...(waitMs === undefined ? {} : { expected_wait_seconds: Math.round(waitMs / 1000) }),
  };
}
