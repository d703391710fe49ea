import { Comparison, type CompareInput } from '../model/contract/compare.ts';
import { AppError } from '../model/errors.ts';
import { isFinal, type ScanRecord } from '../model/scan.ts';
import type { ComparedScan, ComparisonPage, ComparisonQuery } from '../findings/comparison.ts';
import { NO_SUPPRESSIONS, type Suppressions } from '../findings/findings.ts';
import { chooseBase, hasResults } from './choose-base.ts';
import { comparisonSummary } from './compare-summary.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { filterOf } from './finding-filter.ts';
import { findScanAudited } from './find-scan.ts';
import { lookFacts } from './look-facts.ts';
import { roomBeside } from './page-room.ts';
import { isoTime } from './time.ts';

export interface CompareDeps extends Pick<ScanDeps, 'queue' | 'findings' | 'files' | 'audit'> {
  /** The judgements of a tenant that are in force. */
  readonly suppressions?: { inForce(tenant: string): Promise<Suppressions> };
}

export type CompareScans = (input: CompareInput, ask: Ask) => Promise<Comparison>;

/**
 * What became of the findings of an earlier scan in a later one.
 * @throws AppError scan_not_found, scan_not_finished, invalid_request, cursor_invalid, queue_unavailable
 */
export function createCompareScans(deps: CompareDeps): CompareScans {
  return async (input, { caller, traceId }) => {
    const find = (scanId: string): Promise<ScanRecord> =>
      findScanAudited(deps, { caller, action: 'read_results', scanId, traceId });
    const head = await find(input.head_scan_id);
    requireResults(head);
    const base = await baseOf(deps, input, head, find);
    const suppressions = (await deps.suppressions?.inForce(caller.tenant)) ?? NO_SUPPRESSIONS;
    const page = await deps.findings.compare({
      head: comparedScan(deps, head),
      base: comparedScan(deps, base),
      query: queryOf(input),
      suppressions,
    });
    await deps.audit({
      caller,
      action: 'read_results',
      decision: 'allowed',
      scanId: head.scanId,
      traceId,
      detail: { base: base.scanId, filters: Object.keys(filterOf(input)) },
    });
    return answerOf(head, base, page, input);
  };
}

async function baseOf(
  { queue }: CompareDeps,
  { base_scan_id: id, base_before: before }: CompareInput,
  head: ScanRecord,
  find: (scanId: string) => Promise<ScanRecord>,
): Promise<ScanRecord> {
  if (id === undefined) return chooseBase(queue, head, before === undefined ? undefined : Date.parse(before));
  if (before !== undefined)
    throw new AppError('invalid_request', 'base_before only chooses a base: leave it out, or base_scan_id.');
  if (id === head.scanId) throw new AppError('invalid_request', 'base_scan_id and head_scan_id are the same scan.');
  const base = await find(id);
  requireResults(base);
  if ((base.finishedAt ?? 0) > (head.finishedAt ?? 0)) {
    throw new AppError(
      'invalid_request',
      `base_scan_id finished after head_scan_id (${isoTime(base.finishedAt ?? 0)}, ${isoTime(head.finishedAt ?? 0)}).`,
      { hint: 'Swap the two.' },
    );
  }
  return base;
}

function requireResults(scan: ScanRecord): void {
  if (!isFinal(scan.state)) {
    throw new AppError(
      'scan_not_finished',
      `Scan ${scan.scanId} is ${scan.state}; it can be compared when it has ended.`,
    );
  }
  if (!hasResults(scan)) {
    throw new AppError('invalid_request', `Scan ${scan.scanId} ended without results: there is nothing to compare.`, {
      hint: 'get_scan_status says why it has none; compare another scan.',
    });
  }
}

const comparedScan = ({ files }: CompareDeps, scan: ScanRecord): ComparedScan => ({
  file: files.findingsOf(scan) ?? '',
  scanId: scan.scanId,
  facts: lookFacts(scan),
});

/** Summary, counts and ids. */
const FRAME_TOKENS = 320;

const queryOf = (input: CompareInput): ComparisonQuery => ({
  filter: filterOf(input),
  include_suppressed: input.include_suppressed,
  max_tokens: roomBeside(input.max_tokens, FRAME_TOKENS),
  ...(input.cursor === undefined ? {} : { cursor: input.cursor }),
});

const answerOf = (head: ScanRecord, base: ScanRecord, page: ComparisonPage, input: CompareInput): Comparison =>
  Comparison.parse({
    summary: comparisonSummary(head, base, page, {
      isFiltered: Object.keys(filterOf(input)).length > 0,
      includesSuppressed: input.include_suppressed,
    }),
    head_scan_id: head.scanId,
    base_scan_id: base.scanId,
    compared_by: page.comparedBy,
    counts: page.counts,
    suppressed: page.suppressed,
    ...(page.notComparable === undefined ? {} : { not_comparable: page.notComparable }),
    findings: page.findings,
    ...(page.nextCursor === undefined ? {} : { next_cursor: page.nextCursor }),
  });
