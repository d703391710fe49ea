import type { ListScansInput, ScanList } from '../model/contract/lists.ts';
import { noSeverities } from '../model/finding.ts';
import { isFinal, type ScanRecord } from '../model/scan.ts';
import { placeNameOf } from '../findings/place-labels.ts';
import { parseTarget } from '../policy/target.ts';
import type { ListFilter } from '../queue/queue.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { IMPORTED } from './import-record.ts';
import { verdictOfScan } from './outcome.ts';
import { overlaps } from './overlap.ts';
import { fitting } from './page-room.ts';
import { readTarget } from './read-target.ts';
import { isoTime } from './time.ts';

export type ListScans = (input: ListScansInput, ask: Ask) => Promise<ScanList>;

/** @throws AppError target_invalid, cursor_invalid, queue_unavailable */
export function createListScans({ queue, registry }: Pick<ScanDeps, 'queue' | 'registry'>): ListScans {
  return async (input, { caller }) => {
    const page = await queue.list(caller.tenant, filterOf(input));
    // A pool that is gone from the file still has its scans; one that never was is a slip of the pen.
    if (page.total === 0 && input.scanner_pool !== undefined && input.scanner_pool !== IMPORTED)
      registry.pool(input.scanner_pool);
    if (page.total === 0 && input.target !== undefined) await requireTarget(queue, caller.tenant, input.target);
    const more = page.nextCursor === undefined ? '' : ' More with next_cursor.';
    return {
      summary: `${page.total} ${page.total === 1 ? 'scan matches' : 'scans match'}; ${page.scans.length} shown, newest first.${more}${newer(page.unreadable)}`,
      scans: page.scans.map(entry),
      ...(page.nextCursor === undefined ? {} : { next_cursor: page.nextCursor }),
      total: page.total,
    };
  };
}

const newer = (count: number): string =>
  count === 0 ? '' : ` ${count} of this page left out: a newer scanmux wrote them, and only that can read them.`;

function filterOf(input: ListScansInput): ListFilter {
  return {
    limit: input.limit,
    ...(input.state === undefined ? {} : { state: input.state }),
    ...(input.scanner_pool === undefined ? {} : { pool: input.scanner_pool }),
    ...(input.project_id === undefined ? {} : { projectId: input.project_id }),
    ...(input.created_after === undefined ? {} : { createdAfter: Date.parse(input.created_after) }),
    ...(input.created_before === undefined ? {} : { createdBefore: Date.parse(input.created_before) }),
    ...(input.cursor === undefined ? {} : { cursor: input.cursor }),
    ...(input.target === undefined ? {} : targetFilter(input.target)),
  };
}

function targetFilter(text: string): Pick<ListFilter, 'matchesTargets' | 'targetKey'> {
  const wanted = readTarget(text);
  if (wanted === undefined) {
    // Reports about an image or a folder have its name for their target.
    const name = placeNameOf(text);
    return { targetKey: name, matchesTargets: (targets) => targets.some((other) => placeNameOf(other) === name) };
  }
  return {
    targetKey: wanted.text,
    matchesTargets: (targets) =>
      targets.some((text) => {
        const other = readTarget(text);
        return other !== undefined && overlaps(wanted, other);
      }),
  };
}

/** What no scan has for a target must be one. @throws AppError target_invalid */
async function requireTarget(queue: ScanDeps['queue'], tenant: string, text: string): Promise<void> {
  if (readTarget(text) !== undefined) return;
  const { total } = await queue.list(tenant, { limit: 1, ...targetFilter(text) });
  if (total === 0) parseTarget(text);
}

/** For the targets of one scan: a thousand of two kilobytes would be a page that neither an agent nor a server can hold. */
const TARGET_TOKENS = 200;

function shownTargets(all: readonly string[]): Pick<ScanList['scans'][number], 'targets' | 'targets_omitted'> {
  const fit = fitting(all, TARGET_TOKENS);
  const targets = fit.length === 0 ? all.slice(0, 1) : fit;
  return { targets, ...(targets.length < all.length && { targets_omitted: all.length - targets.length }) };
}

const entry = (scan: ScanRecord): ScanList['scans'][number] => ({
  scan_id: scan.scanId,
  ...(scan.name === undefined ? {} : { name: scan.name }),
  state: scan.state,
  ...(scan.origin === 'run' ? {} : { origin: scan.origin }),
  ...(isFinal(scan.state) && { verdict: verdictOfScan(scan), by_severity: scan.result?.by_severity ?? noSeverities() }),
  ...shownTargets(scan.request.targets),
  engine: scan.engine,
  created_at: isoTime(scan.createdAt),
  ...(scan.finishedAt === undefined ? {} : { finished_at: isoTime(scan.finishedAt) }),
});
