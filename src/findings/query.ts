import { AppError } from '../model/errors.ts';
import { hostRefused } from '../model/target.ts';
import { decodeCursor, encodeCursor, queryHash } from './cursor.ts';
import { knowsHost } from './filter.ts';
import { groupPage } from './groups.ts';
import type { FindingPage, FindingQuery, ShownFinding, Suppressions } from './findings.ts';
import type { OpenFindings } from './open-findings.ts';
import { countUpTo, orderedMatches, orderOf } from './order.ts';
import { createFindingReader } from './read-finding.ts';
import type { FindingReader } from './read-finding.ts';
import { bySeverityOf, selectFindings, totalOf } from './select.ts';
import type { Selection } from './select.ts';
import { checkFields, showFinding } from './show.ts';
import { shrinkToTokens } from './shrink.ts';
import { jsonWeight, pageWeight } from './tokens.ts';

/**
 * One page of findings or groups.
 * @throws AppError cursor_invalid, invalid_request
 */
export function queryPage(
  file: OpenFindings,
  scanId: string,
  query: FindingQuery,
  suppressions: Suppressions,
): FindingPage {
  checkFields(query.fields);
  if (query.sort === 'count' && query.group_by === 'none') {
    throw new AppError('invalid_request', 'sort count is for groups: give group_by as well.');
  }
  const hash = queryHash(file.path, scanId, query, suppressions.version);
  const start = decodeCursor(hash, query.cursor);
  if (!knowsHost(file, query)) throw hostRefused();
  const selection = selectFindings(file, query, suppressions);
  const { bySeverity, suppressed, totalUnfiltered } = selection;
  const { withdrawn } = file;
  const facts = { total: totalOf(bySeverity), totalUnfiltered, bySeverity, suppressed, withdrawn };
  const ordered = orderedMatches(file, selection.matches, query.sort);
  if (query.group_by !== 'none') {
    const { groups, omitted, next } = groupPage(file, { scanId, query, ordered, start });
    return { ...facts, groups, omitted, ...(next === undefined ? {} : { nextCursor: encodeCursor(hash, next) }) };
  }
  const from = startOf(file, ordered, query, start);
  const reader = createFindingReader(file, scanId, suppressions);
  const findings = takePage(reader, ordered.subarray(from), query);
  const to = from + findings.length;
  const last = ordered[to - 1] ?? 0;
  return {
    ...facts,
    findings,
    omitted: countsAfter(file, selection, ordered, to),
    ...(to < ordered.length ? { nextCursor: encodeCursor(hash, last + 1) } : {}),
  };
}

/** Where in the order a page begins. @param number The last finding that was shown; 0 for none. */
function startOf(file: OpenFindings, ordered: Uint32Array, { sort }: FindingQuery, number: number): number {
  if (number === 0) return 0;
  if (number > file.count) throw new AppError('cursor_invalid', 'The cursor does not belong to this query.');
  return countUpTo(ordered, number - 1, orderOf(file, sort));
}

function takePage(reader: FindingReader, ordered: Uint32Array, query: FindingQuery): ShownFinding[] {
  const findings: ShownFinding[] = [];
  let left = pageWeight(query.max_tokens);
  for (const index of ordered) {
    const shown = showFinding(reader.at(index), query.detail, query.fields);
    const fitting = findings.length === 0 ? shrinkToTokens(shown, query.max_tokens) : shown;
    left -= jsonWeight(fitting);
    if (left < 0 && findings.length > 0) break;
    findings.push(fitting);
  }
  return findings;
}

/** Counts of what comes after a place in the order; goes through the shorter side. */
function countsAfter({ rule, rules }: OpenFindings, { bySeverity }: Selection, ordered: Uint32Array, to: number) {
  const isShortAfter = ordered.length - to < to;
  const counts = new Uint32Array(5);
  for (const index of isShortAfter ? ordered.subarray(to) : ordered.subarray(0, to)) {
    const severity = rules.severity[rule[index] ?? 0] ?? 0;
    counts[severity] = (counts[severity] ?? 0) + 1;
  }
  if (isShortAfter) return bySeverityOf(counts);
  const [critical = 0, high = 0, medium = 0, low = 0, info = 0] = counts;
  return {
    critical: bySeverity.critical - critical,
    high: bySeverity.high - high,
    medium: bySeverity.medium - medium,
    low: bySeverity.low - low,
    info: bySeverity.info - info,
  };
}
