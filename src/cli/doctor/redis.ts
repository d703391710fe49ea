import type { App } from '../../app.ts';
import { ok, warn, type Finding } from './finding.ts';

const DURABILITY = {
  always: 'every write is on its disk before it is answered (appendfsync always)',
  waitaof: 'every write is waited for until it is on its disk (WAITAOF)',
  none: 'what it accepted may be lost',
} as const;

/** Nothing when the queue is a file. One that may lose scans is only reached when that was allowed. */
export function examineRedis({ redis }: Pick<App, 'redis'>): Finding[] {
  if (!redis) return [];
  const { version, shown, servers, durability, problems, notes } = redis;
  const nodes = servers > 1 ? `, ${servers} masters` : '';
  const said = `${version} at ${shown}${nodes}: ${DURABILITY[durability]}`;
  return [
    ...(problems.length === 0 ? [ok('redis', said)] : []),
    ...problems.map((problem) =>
      warn('redis', `${version} at ${shown}: ${problem.said}, which was allowed.`, `${problem.fix}.`),
    ),
    ...notes.map((note) => warn('redis', `${note}.`, 'docs/operations.md says what that means.')),
  ];
}

/** Workers of a shared queue are started by people, on any machine. */
export async function examineSharedWorkers(
  { queue, scans }: Pick<App, 'queue' | 'scans'>,
  ask: Parameters<App['scans']['queueStatus']>[1],
): Promise<Finding[]> {
  const { workers } = await scans.queueStatus({}, ask);
  if (workers > 0) return [ok('worker', `${workers === 1 ? '1 runs' : `${workers} run`}, on any machine`)];
  const waiting = await queue.liveCount();
  const fix = 'run `scanmux worker` on one or more machines, or `scanmux serve` without --no-worker.';
  return [warn('worker', waiting === 0 ? 'none runs.' : `none runs, and ${waiting} scans wait for one.`, fix)];
}
