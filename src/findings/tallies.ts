import type { BySeverity } from '../model/finding.ts';
import type { GroupBy } from './findings.ts';
import { hostLabels, hostWalk, ruleGroups } from './groupings.ts';
import type { RuleGroups } from './groupings.ts';
import type { OpenFindings, RuleColumns } from './open-findings.ts';
import { bySeverityOf } from './select.ts';

/** All groups of the matches; the columns go by group id. */
export interface Tallies {
  /** Group ids by their first member in the asked order (by size before that, when asked for), then by id. */
  readonly ranked: Uint32Array;
  readonly count: Uint32Array;
  /** Different hosts. */
  readonly hosts: Uint32Array;
  /** The worst: 0 critical .. 4 info. */
  readonly severity: Uint8Array;
  readonly cvss: Float64Array;
  readonly epss: Float64Array;
  readonly flags: Uint8Array;
  /** Place in the order of the first member. */
  readonly first: Uint32Array;
  /** Matches that are in none of the first `shown` groups. */
  omittedAfter(shown: number): BySeverity;
}

export interface Grouping {
  readonly by: Exclude<GroupBy, 'none'>;
  /** Largest first. */
  readonly bySize: boolean;
}

/** @param ordered Matches in the asked order. */
export function tallyGroups(file: OpenFindings, ordered: Uint32Array, { by, bySize }: Grouping): Tallies {
  const rank = bySize ? rankedBySize : rankedOf;
  return by === 'host' ? tallyHosts(file, ordered, rank) : tallyRules(file, ordered, ruleGroups(file, by), rank);
}

const NOT_YET = 0xff_ff_ff_ff;

const emptyTallies = (groups: number) => ({
  count: new Uint32Array(groups),
  severity: new Uint8Array(groups).fill(4),
  cvss: new Float64Array(groups).fill(-1),
  epss: new Float64Array(groups).fill(-1),
  flags: new Uint8Array(groups),
  first: new Uint32Array(groups).fill(NOT_YET),
});

type Columns = ReturnType<typeof emptyTallies>;

/** `count` matches of one rule, the first of which stands at `first` in the order. */
interface Batch {
  readonly rule: number;
  readonly count: number;
  readonly first: number;
}

function add(tallies: Columns, group: number, { severity, cvss, epss, flags }: RuleColumns, batch: Batch): void {
  const { rule, count, first } = batch;
  tallies.count[group] = (tallies.count[group] ?? 0) + count;
  tallies.first[group] = Math.min(tallies.first[group] ?? first, first);
  tallies.severity[group] = Math.min(tallies.severity[group] ?? 4, severity[rule] ?? 4);
  tallies.cvss[group] = Math.max(tallies.cvss[group] ?? -1, cvss[rule] ?? -1);
  tallies.epss[group] = Math.max(tallies.epss[group] ?? -1, epss[rule] ?? -1);
  tallies.flags[group] = (tallies.flags[group] ?? 0) | (flags[rule] ?? 0);
}

/** Groups that are there by first member and id: one number each, so that a plain sort of numbers does it. */
function rankedOf({ count, first }: Columns): Uint32Array {
  const there: number[] = [];
  for (let group = 0; group < count.length; group += 1) {
    if ((count[group] ?? 0) > 0) there.push((first[group] ?? 0) * count.length + group);
  }
  return Uint32Array.from(Float64Array.from(there).toSorted(), (key) => key % count.length);
}

/** Largest first, then as `rankedOf`. */
function rankedBySize(columns: Columns): Uint32Array {
  const { count } = columns;
  return rankedOf(columns).toSorted((a, b) => (count[b] ?? 0) - (count[a] ?? 0));
}

type Rank = (columns: Columns) => Uint32Array;

/** A host is a group of its own: severities and scores differ from match to match. */
function tallyHosts(file: OpenFindings, ordered: Uint32Array, rank: Rank): Tallies {
  const { same, nameless } = hostLabels(file);
  const tallies = emptyTallies(same.length);
  const severities = new Uint32Array(same.length * 5);
  for (let place = 0; place < ordered.length; place += 1) {
    const index = ordered[place] ?? 0;
    const group = same[file.host[index] ?? 0] ?? 0;
    const rule = file.rule[index] ?? 0;
    add(tallies, group, file.rules, { rule, count: 1, first: place });
    const cell = group * 5 + (file.rules.severity[rule] ?? 0);
    severities[cell] = (severities[cell] ?? 0) + 1;
  }
  const hosts = new Uint32Array(same.length).fill(1);
  if (nameless !== undefined) hosts[nameless] = 0;
  const ranked = rank(tallies);
  return {
    ...tallies,
    hosts,
    ranked,
    omittedAfter(shown) {
      const counts = new Uint32Array(5);
      for (const group of ranked.subarray(shown)) {
        for (let key = 0; key < 5; key += 1) counts[key] = (counts[key] ?? 0) + (severities[group * 5 + key] ?? 0);
      }
      return bySeverityOf(counts);
    },
  };
}

/** Every other group is made of whole rules, so that findings are only counted by rule. */
function tallyRules(file: OpenFindings, ordered: Uint32Array, groups: RuleGroups, rank: Rank): Tallies {
  const { rules, rule: ruleOf } = file;
  const count = new Uint32Array(rules.count);
  const first = new Uint32Array(rules.count);
  for (let place = 0; place < ordered.length; place += 1) {
    const rule = ruleOf[ordered[place] ?? 0] ?? 0;
    const before = count[rule] ?? 0;
    if (before === 0) first[rule] = place;
    count[rule] = before + 1;
  }
  const tallies = emptyTallies(groups.groups);
  for (let rule = 0; rule < rules.count; rule += 1) {
    const own = count[rule] ?? 0;
    if (own === 0) continue;
    const batch = { rule, count: own, first: first[rule] ?? 0 };
    for (const group of groupsOf(groups, rule)) add(tallies, group, rules, batch);
  }
  const hosts = countHosts(file, ordered, groups);
  const ranked = rank(tallies);
  return {
    ...tallies,
    hosts,
    ranked,
    omittedAfter(shown) {
      const isShown = new Uint8Array(groups.groups);
      for (const group of ranked.subarray(0, shown)) isShown[group] = 1;
      const counts = new Uint32Array(5);
      for (let rule = 0; rule < rules.count; rule += 1) {
        if (groupsOf(groups, rule).some((group) => isShown[group] === 1)) continue;
        const severity = rules.severity[rule] ?? 0;
        counts[severity] = (counts[severity] ?? 0) + (count[rule] ?? 0);
      }
      return bySeverityOf(counts);
    },
  };
}

const groupsOf = ({ begins, ids }: RuleGroups, rule: number): Uint32Array =>
  ids.subarray(begins[rule] ?? 0, begins[rule + 1] ?? 0);

/** In how many hosts each group has matches. */
function countHosts(file: OpenFindings, matches: Uint32Array, { begins, ids, groups }: RuleGroups): Uint32Array {
  const hosts = new Uint32Array(groups);
  const lastHost = new Uint32Array(groups).fill(NOT_YET);
  visitRulesByHost(file, matches, (rule, host) => {
    const end = begins[rule + 1] ?? 0;
    // No view of the ids: there may be as many of these as findings.
    for (let member = begins[rule] ?? 0; member < end; member += 1) {
      const group = ids[member] ?? 0;
      if (lastHost[group] === host) continue;
      lastHost[group] = host;
      hosts[group] = (hosts[group] ?? 0) + 1;
    }
  });
  return hosts;
}

/** Calls `visit` once for each rule at each host that has a match, host by host. */
function visitRulesByHost(file: OpenFindings, matches: Uint32Array, visit: (rule: number, host: number) => void): void {
  const { nameless } = hostLabels(file);
  const { begins, indexes, rules } = hostWalk(file);
  const isMatch = matches.length === file.count ? undefined : maskOf(matches, file.count);
  const lastHost = new Uint32Array(file.rules.count).fill(NOT_YET);
  for (let host = 0; host < begins.length - 2; host += 1) {
    const end = host === nameless ? 0 : (begins[host + 1] ?? 0);
    for (let at = begins[host] ?? 0; at < end; at += 1) {
      const rule = rules[at] ?? 0;
      if (lastHost[rule] === host || (isMatch !== undefined && isMatch[indexes[at] ?? 0] === 0)) continue;
      lastHost[rule] = host;
      visit(rule, host);
    }
  }
}

function maskOf(matches: Uint32Array, count: number): Uint8Array {
  const mask = new Uint8Array(count);
  for (const index of matches) mask[index] = 1;
  return mask;
}
