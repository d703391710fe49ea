import type { BySeverity } from '../model/finding.ts';
import { masksOf } from './filter.ts';
import { NO_SUPPRESSIONS } from './findings.ts';
import type { FindingFilter, Suppressions } from './findings.ts';
import { lastMade, madeOnce } from './kept.ts';
import { NONE } from './layout.ts';
import type { OpenFindings } from './open-findings.ts';
import { suppressedIn } from './suppressed.ts';
import type { Suppressed } from './suppressed.ts';

/** What matches a filter, with exact counts. */
export interface Selection {
  /** Places in the columns, ascending: in the urgency order. */
  readonly matches: Uint32Array;
  readonly bySeverity: BySeverity;
  /** Matches that are suppressed; they are among `matches` only when they were asked for. */
  readonly suppressed: BySeverity;
  /** What there would be without a filter. */
  readonly totalUnfiltered: number;
}

export interface SelectInput extends FindingFilter {
  readonly include_suppressed?: boolean;
}

/** An agent goes through the pages of one question, or of two in turns. */
const kept = lastMade<Selection>(2);

/** Names of what a selection depends on, apart from the suppressions. */
const FILTER_KEYS = [
  'severity_levels',
  'min_severity',
  'min_cvss',
  'min_epss',
  'kev_only',
  'exploit_available',
  'host',
  'port',
  'cve',
  'rule_id',
  'text',
  'include_suppressed',
] as const satisfies readonly (keyof SelectInput)[];

/**
 * Everything that matches: one pass over the columns, a few milliseconds per million findings.
 * @throws AppError invalid_request
 */
export function selectFindings(file: OpenFindings, input: SelectInput, suppressions: Suppressions): Selection {
  if (suppressions.entries.length === 0 && FILTER_KEYS.every((name) => isOpen(name, input[name])))
    return everything(file);
  const key = JSON.stringify([suppressions.version, FILTER_KEYS.map((name) => input[name] ?? null)]);
  return kept(file, key, () => select(file, input, suppressedIn(file, suppressions)));
}

/** Whether a filter lets everything through: absent, or a switch that is off. `exploit_available: false` is no switch. */
const isOpen = (name: keyof SelectInput, value: unknown): boolean =>
  value === undefined || (value === false && name !== 'exploit_available');

/** The first question about most files, and of every other sort and grouping after it. */
const everything = madeOnce((file) => select(file, {}, suppressedIn(file, NO_SUPPRESSIONS)));

function select(file: OpenFindings, input: SelectInput, suppressed: Suppressed): Selection {
  const { count, rule, rules } = file;
  const includes = input.include_suppressed === true;
  const passes = testOf(file, input);
  const isSuppressed = suppressed.mask;
  const matches = new Uint32Array(count);
  const counts = new Uint32Array(5);
  const left = new Uint32Array(5);
  let found = 0;
  for (let index = 0; index < count; index += 1) {
    if (!passes(index)) continue;
    const severity = rules.severity[rule[index] ?? 0] ?? 0;
    if (isSuppressed?.[index] === 1) {
      left[severity] = (left[severity] ?? 0) + 1;
      if (!includes) continue;
    }
    counts[severity] = (counts[severity] ?? 0) + 1;
    matches[found] = index;
    found += 1;
  }
  return {
    matches: found === count ? matches : matches.slice(0, found),
    bySeverity: bySeverityOf(counts),
    suppressed: bySeverityOf(left),
    totalUnfiltered: includes ? count : count - suppressed.count,
  };
}

/** Whether the finding at a place of the columns passes all filters. */
function testOf(file: OpenFindings, filter: FindingFilter): (index: number) => boolean {
  const { rule, host, body, port: ports } = file;
  const { rules, hosts, port = NONE, words } = masksOf(file, filter);
  if (rules === undefined && hosts === undefined && port === NONE && words === undefined) return () => true;
  return (index) => {
    const ruleId = rule[index] ?? 0;
    if (rules !== undefined && rules[ruleId] === 0) return false;
    if (hosts !== undefined && hosts[host[index] ?? 0] === 0) return false;
    if (port !== NONE && ports[index] !== port) return false;
    return words === undefined || words.rules[ruleId] === 1 || words.bodies[body[index] ?? 0] === 1;
  };
}

/** Counts by severity key (0 critical .. 4 info) with their names. */
export function bySeverityOf([critical = 0, high = 0, medium = 0, low = 0, info = 0]: Iterable<number>): BySeverity {
  return { critical, high, medium, low, info };
}

export const totalOf = (counts: BySeverity): number =>
  counts.critical + counts.high + counts.medium + counts.low + counts.info;
