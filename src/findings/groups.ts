import type { BySeverity } from '../model/finding.ts';
import { RuleFacts, SEVERITIES } from '../model/finding.ts';
import { findingId } from '../model/ids.ts';
import type { FindingGroup, FindingQuery, GroupBy } from './findings.ts';
import { NO_KEY } from './filter.ts';
import { ruleGroups } from './groupings.ts';
import { KEV } from './layout.ts';
import type { OpenFindings } from './open-findings.ts';
import { damaged } from './reading.ts';
import { shrinkToTokens } from './shrink.ts';
import { tallyGroups } from './tallies.ts';
import type { Grouping, Tallies } from './tallies.ts';
import { jsonWeight, pageWeight } from './tokens.ts';

/** A solution may be a page of text; its beginning tells groups apart, the sample finding holds the rest. */
const SHOWN_KEY = 300;
const SHOWN_TITLE = 120;

interface AskedGroups {
  readonly scanId: string;
  readonly query: FindingQuery;
  /** Matches in the asked order. */
  readonly ordered: Uint32Array;
  /** How many groups were shown before. */
  readonly start: number;
}

interface GroupPage {
  readonly groups: FindingGroup[];
  readonly omitted: BySeverity;
  /** How many groups are shown by now, when more follow. */
  readonly next?: number;
}

const lastTallies = new WeakMap<Uint32Array, Grouping & { readonly tallies: Tallies }>();

function talliesOf(file: OpenFindings, ordered: Uint32Array, grouping: Grouping): Tallies {
  const known = lastTallies.get(ordered);
  if (known?.by === grouping.by && known.bySize === grouping.bySize) return known.tallies;
  const tallies = tallyGroups(file, ordered, grouping);
  lastTallies.set(ordered, { ...grouping, tallies });
  return tallies;
}

/**
 * A page of groups in the order of their first members, or the largest first. A finding with several CVEs counts in the group of each, and
 * once in `omitted`.
 */
export function groupPage(file: OpenFindings, { scanId, query, ordered, start }: AskedGroups): GroupPage {
  const by = query.group_by === 'none' ? 'host' : query.group_by;
  const tallies = talliesOf(file, ordered, { by, bySize: query.sort === 'count' });
  const groups: FindingGroup[] = [];
  let left = pageWeight(query.max_tokens);
  for (const id of tallies.ranked.subarray(start)) {
    const index = ordered[tallies.first[id] ?? 0] ?? 0;
    const bare = toGroup(tallies, id, keyText(file, by, id, index), findingId(scanId, index + 1));
    const whole = by === 'rule' ? withTitle(file, bare, index) : bare;
    const group = groups.length === 0 ? fitted(whole, query.max_tokens) : whole;
    left -= jsonWeight(group);
    if (left < 0 && groups.length > 0) break;
    groups.push(group);
  }
  const shown = start + groups.length;
  const isMore = shown < tallies.ranked.length;
  return { groups, omitted: tallies.omittedAfter(shown), ...(isMore ? { next: shown } : {}) };
}

function toGroup(tallies: Tallies, id: number, key: string, sampleId: string): FindingGroup {
  const cvss = tallies.cvss[id] ?? -1;
  const epss = tallies.epss[id] ?? -1;
  return {
    key: shownKey(key),
    count: tallies.count[id] ?? 0,
    hosts: tallies.hosts[id] ?? 0,
    max_severity: SEVERITIES[4 - (tallies.severity[id] ?? 4)] ?? 'info',
    ...(cvss >= 0 ? { max_cvss: cvss } : {}),
    ...(epss >= 0 ? { max_epss: epss } : {}),
    kev: ((tallies.flags[id] ?? 0) & KEV) !== 0,
    sample_finding_id: sampleId,
  };
}

/** What a rule is called; of several titles of one rule id that of the most urgent finding. */
function withTitle(file: OpenFindings, { key, ...group }: FindingGroup, index: number): FindingGroup {
  const { title } = ruleAt(file, file.rule[index] ?? 0);
  return { key, ...(title === '' || title === key ? {} : { title: cutTo(title, SHOWN_TITLE) }), ...group };
}

function shownKey(key: string): string {
  if (key === '') return NO_KEY;
  return cutTo(key, SHOWN_KEY);
}

const cutTo = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text;

const KEY_SQL = {
  host: 'SELECT label AS text FROM host WHERE id = ?',
  rule: 'SELECT text FROM rule_name WHERE id = ?',
  solution: 'SELECT text FROM solution WHERE id = ?',
} as const;

/** @param index One finding of the group. */
function keyText(file: OpenFindings, by: Exclude<GroupBy, 'none'>, id: number, index: number): string {
  if (by === 'severity') return SEVERITIES[4 - id] ?? 'info';
  if (by === 'cve') return cveText(file, id, file.rule[index] ?? 0);
  const text = file.db.prepare(KEY_SQL[by]).get(id)?.['text'];
  if (typeof text !== 'string') throw damaged(file.path);
  return text;
}

function ruleAt(file: OpenFindings, rule: number): RuleFacts {
  const json = file.db.prepare('SELECT json FROM rule WHERE id = ?').get(rule)?.['json'];
  if (typeof json !== 'string') throw damaged(file.path);
  return RuleFacts.parse(JSON.parse(json));
}

/** CVEs have no table of their own: the rule says them, and both are in the order of their text. */
function cveText(file: OpenFindings, id: number, rule: number): string {
  const { begins, ids, groups } = ruleGroups(file, 'cve');
  if (id === groups - 1) return '';
  const { cves } = ruleAt(file, rule);
  const begin = begins[rule] ?? 0;
  const text = [...new Set(cves)].toSorted()[ids.indexOf(id, begin) - begin];
  if (text === undefined) throw damaged(file.path);
  return text;
}

/** The first group of a page is cut rather than left out: its key and title are the long parts. */
function fitted(group: FindingGroup, maxTokens: number): FindingGroup {
  const { key, title, cut } = shrinkToTokens({ ...group }, maxTokens);
  const { key: _key, title: _title, ...rest } = group;
  return {
    key: typeof key === 'string' ? key : group.key,
    ...(typeof title === 'string' ? { title } : {}),
    ...rest,
    ...(Array.isArray(cut) ? { cut: cut.map(String) } : {}),
  };
}
