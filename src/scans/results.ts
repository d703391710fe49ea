import type { Results, ResultsInput } from '../model/contract/results.ts';
import type { Coverage, Place } from '../model/coverage.ts';
import { AppError } from '../model/errors.ts';
import { noSeverities } from '../model/finding.ts';
import { isFinal, type ScanRecord } from '../model/scan.ts';
import type { FindingPage, FindingQuery } from '../findings/findings.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { findScanAudited } from './find-scan.ts';
import { filterOf } from './finding-filter.ts';
import { coverageOfScan, verdictOfScan } from './outcome.ts';
import { foundSummary, withdrawnPart } from './summaries.ts';
import { fitting, fittingCoverage, roomBeside, tokensIn } from './page-room.ts';
import { filteredPart, hostSeen, type HostSeen } from './why-empty.ts';
import { rawTally, sumOf, type CountFindings, type Tally } from './tally.ts';

type Deps = Pick<ScanDeps, 'queue' | 'findings' | 'files' | 'audit' | 'suppressions'> & {
  readonly countFindings: CountFindings;
};

/** Places that were not fully looked at, on the first page. */
const UNTESTED_SHOWN = 20;
/** Shares of `max_tokens` that they, and the lists of coverage, may take. */
const UNTESTED_SHARE = 0.15;
const COVERAGE_SHARE = 0.1;

export type GetScanResults = (input: ResultsInput, ask: Ask) => Promise<Results>;

/**
 * One page of a finished scan's findings. Failed, timed-out and cancelled scans answer with what they have.
 * @throws AppError scan_not_found, scan_not_finished, cursor_invalid, invalid_request
 */
export function createGetScanResults(deps: Deps): GetScanResults {
  return async (input, { caller, traceId }) => {
    const asked = { caller, action: 'read_results', scanId: input.scan_id, traceId } as const;
    const scan = await findScanAudited(deps, asked);
    if (!isFinal(scan.state)) {
      throw new AppError('scan_not_finished', `The scan is ${scan.state}; results come when it ends.`);
    }
    const { query, applied } = queryOf(input);
    const file = deps.files.findingsOf(scan);
    const judged = await deps.suppressions.inForce(scan.tenant);
    const ref = file === undefined ? undefined : { file, scanId: scan.scanId };
    const isFirst = query.cursor === undefined;
    const missed = file === undefined || !isFirst ? [] : await deps.findings.untested(file, UNTESTED_SHOWN);
    const tally = input.include_suppressed ? rawTally(scan) : await deps.countFindings(scan);
    const around: Around = {
      applied,
      untested: fitting(missed, query.max_tokens * UNTESTED_SHARE),
      coverage: fittingCoverage(coverageOfScan(scan), isFirst ? query.max_tokens * COVERAGE_SHARE : 0),
      tally,
      groupBy: input.group_by,
    };
    const frame = tokensIn(answerOf(scan, NOTHING, around));
    const fitted = { ...query, max_tokens: roomBeside(query.max_tokens, frame) };
    const page = ref ? await deps.findings.query(ref, fitted, judged) : emptyPage(query);
    await deps.audit({
      caller,
      action: 'read_results',
      decision: 'allowed',
      scanId: scan.scanId,
      traceId,
      detail: { filters: applied, findings: page.total },
    });
    const isEmptyHost = ref !== undefined && input.host !== undefined && page.total === 0;
    return answerOf(scan, page, {
      ...around,
      ...(isEmptyHost ? { host: await hostSeen(deps.findings, ref, input.host ?? '') } : {}),
    });
  };
}

/** The filters, without those that change nothing, and their names. */
function queryOf(input: ResultsInput): { query: FindingQuery; applied: string[] } {
  const { include_suppressed, group_by, detail, sort, max_tokens, fields, cursor } = input;
  const filters = filterOf(input);
  const query: FindingQuery = {
    ...filters,
    group_by,
    detail,
    sort,
    max_tokens,
    include_suppressed,
    ...(fields === undefined ? {} : { fields }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  return { query, applied: Object.keys(filters) };
}

const NOTHING: FindingPage = {
  total: 0,
  totalUnfiltered: 0,
  bySeverity: noSeverities(),
  suppressed: noSeverities(),
  withdrawn: 0,
  omitted: noSeverities(),
};

const emptyPage = ({ group_by: groupBy, cursor }: FindingQuery): FindingPage => {
  if (cursor !== undefined)
    throw new AppError('cursor_invalid', 'This scan has no findings, so no page comes after the first.');
  return {
    ...NOTHING,
    ...(groupBy === 'none' ? { findings: [] } : { groups: [] }),
  };
};

interface Around {
  readonly applied: readonly string[];
  /** The first few. */
  readonly untested: readonly Place[];
  readonly coverage: Coverage;
  /** Of the whole scan. */
  readonly tally: Tally;
  readonly groupBy: FindingQuery['group_by'];
  /** Of the host that was asked for, where nothing matches. */
  readonly host?: HostSeen;
}

function answerOf(scan: ScanRecord, page: FindingPage, around: Around): Results {
  const { error } = scan;
  const { applied, untested, coverage } = around;
  return {
    summary: summary(scan, page, around),
    scan_id: scan.scanId,
    state: scan.state,
    verdict: verdictOfScan(scan),
    coverage,
    ...(untested.length > 0 ? { untested: [...untested] } : {}),
    ...(error === undefined ? {} : { error }),
    total: page.total,
    total_unfiltered: page.totalUnfiltered,
    filters_applied: [...applied],
    suppressed: { by_severity: page.suppressed },
    ...(page.findings === undefined ? {} : { findings: [...page.findings] }),
    ...(page.groups === undefined
      ? {}
      : { groups: page.groups.map(({ cut, ...group }) => ({ ...group, ...(cut ? { cut: [...cut] } : {}) })) }),
    ...(page.nextCursor === undefined ? {} : { next_cursor: page.nextCursor }),
    omitted: { by_severity: page.omitted },
  };
}

/** Every place that was missed is counted in coverage; only the first are named. */
function untestedPart({ untested, coverage: { requested, tested } }: Around): string {
  if (untested.length === 0) return '';
  const missed = requested - tested;
  const which = missed > untested.length ? ` (the first ${untested.length} of ${missed} places)` : '';
  return ` untested says what was missed and why${which}.`;
}

/** What an agent that has read this page does next, when that is no further page. */
function nextPart({ findings, groups }: FindingPage, groupBy: FindingQuery['group_by']): string {
  if (findings !== undefined && findings.length > 0) return ' Next: get_finding has one in full.';
  if (groups === undefined || groups.length === 0) return '';
  const filter = { host: 'host', rule: 'rule_id', cve: 'cve', severity: 'severity_levels' } as const;
  if (groupBy === 'none' || groupBy === 'solution') return ' Next: get_finding with a sample_finding_id.';
  return ` Next: ${filter[groupBy]} takes a key, for the findings of its group.`;
}

function summary(scan: ScanRecord, page: FindingPage, around: Around): string {
  const { applied, tally, groupBy, host } = around;
  const left = sumOf(page.omitted);
  const where = page.groups === undefined ? 'come' : 'are in groups that come';
  const next =
    left > 0 ? ` ${left} more ${where} after this page: call again with next_cursor.` : nextPart(page, groupBy);
  const found = `${foundSummary(scan, tally)}${withdrawnPart(page.withdrawn)}`;
  return `${found}${filteredPart(page, { applied, host })}${untestedPart(around)}${next}`;
}
