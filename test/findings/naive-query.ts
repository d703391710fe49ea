import { addressKey, addressRange } from '../../src/findings/address-key.ts';
import type { Finding, FindingFilter, FindingGroup, FindingQuery, GroupBy, Sort } from '../../src/findings/findings.ts';
import { hostKeys, plainHostName } from '../../src/findings/host-keys.ts';
import { bestCvss, noSeverities, severityRank } from '../../src/model/finding.ts';
import type { BySeverity } from '../../src/model/finding.ts';
import { cleanUntrusted } from '../../src/model/untrusted.ts';

// What a query means, written down as plainly as possible over plain objects: slow, and nothing of the real thing in it
// but the spelling of hosts.

export function countBySeverity(findings: readonly Finding[]): BySeverity {
  const counts = noSeverities();
  for (const { severity } of findings) counts[severity] += 1;
  return counts;
}

function matchesHost(finding: Finding, host: string): boolean {
  const { name, address } = hostKeys(finding.location);
  const literal = addressKey(host);
  if (literal !== undefined) return address === literal;
  const range = addressRange(host);
  if (range) return address !== undefined && address >= range.first && address <= range.last;
  return name === plainHostName(host);
}

function matchesText({ title, description, untrusted }: Finding, text: string): boolean {
  const texts = [description === undefined ? title : `${title}\n${description}`, Object.values(untrusted).join('\n')];
  const spellings = [text.toLowerCase(), cleanUntrusted(text, 10_000).toLowerCase()];
  return texts.some((words) => spellings.some((spelling) => words.toLowerCase().includes(spelling)));
}

const CHECKS: { readonly [K in keyof FindingFilter]-?: (f: Finding, value: NonNullable<FindingFilter[K]>) => boolean } =
  {
    severity_levels: ({ severity }, levels) => levels.length === 0 || levels.includes(severity),
    min_severity: ({ severity }, least) => severityRank(severity) >= severityRank(least),
    min_cvss: (finding, least) => (bestCvss(finding) ?? -1) >= least,
    min_epss: ({ epss = -1 }, least) => epss >= least,
    kev_only: ({ kev }, only) => !only || kev,
    exploit_available: ({ exploit_available: exploit }, wanted) => exploit === wanted,
    host: matchesHost,
    port: ({ location }, port) => location.port === port,
    cve: ({ cves }, cve) => cves.includes(cve.trim().toUpperCase()),
    rule_id: ({ rule_id: rule }, wanted) => rule.toLowerCase() === wanted.toLowerCase(),
    text: matchesText,
  };

const check = <K extends keyof FindingFilter>(finding: Finding, filter: FindingFilter, key: K): boolean => {
  const value = filter[key];
  return value === undefined || CHECKS[key](finding, value);
};

export const matches = (finding: Finding, filter: FindingFilter): boolean =>
  check(finding, filter, 'severity_levels') &&
  check(finding, filter, 'min_severity') &&
  check(finding, filter, 'min_cvss') &&
  check(finding, filter, 'min_epss') &&
  check(finding, filter, 'kev_only') &&
  check(finding, filter, 'exploit_available') &&
  check(finding, filter, 'host') &&
  check(finding, filter, 'port') &&
  check(finding, filter, 'cve') &&
  check(finding, filter, 'rule_id') &&
  check(finding, filter, 'text');

/** Smaller first; what is undefined comes last. */
function sortKey(finding: Finding, sort: Sort): readonly (string | number)[] {
  switch (sort) {
    case 'urgency':
      return [];
    case 'severity':
      return [-severityRank(finding.severity)];
    case 'cvss':
      return [-(bestCvss(finding) ?? -1)];
    case 'epss':
      return [-(finding.epss ?? -1)];
    case 'host': {
      const { order, address = '', label } = hostKeys(finding.location);
      return [order, address, label];
    }
  }
}

function compareKeys(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [at, part] of a.entries()) {
    const other = b[at] ?? part;
    if (part < other) return -1;
    if (part > other) return 1;
  }
  return 0;
}

/** @param findings In the order of their numbers. */
export const sorted = (findings: readonly Finding[], sort: Sort): Finding[] =>
  findings.toSorted((a, b) => compareKeys(sortKey(a, sort), sortKey(b, sort)));

const NO_KEY = '(none)';
const shown = (key: string): string => (key.length > 300 ? `${key.slice(0, 299)}…` : key);

/** Groups a finding is in, as their full keys. */
export function keysOf(finding: Finding, by: Exclude<GroupBy, 'none'>): string[] {
  switch (by) {
    case 'host':
      return [hostKeys(finding.location).label];
    case 'rule':
      return [finding.rule_id];
    case 'severity':
      return [finding.severity];
    case 'solution':
      return [finding.solution ?? ''];
    case 'cve':
      return finding.cves.length === 0 ? [''] : [...new Set(finding.cves)].toSorted();
  }
}

const most = (values: readonly (number | undefined)[]): number | undefined =>
  values.reduce((a, b) => (a === undefined || (b !== undefined && b > a) ? b : a), undefined);

export interface NaiveGroup extends FindingGroup {
  readonly members: readonly Finding[];
}

/** @param findings Matches in the asked order. */
export function grouped(findings: readonly Finding[], by: Exclude<GroupBy, 'none'>): NaiveGroup[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    for (const key of keysOf(finding, by)) groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups].map(([key, members]) => {
    const hosts = new Set(members.map(({ location }) => hostKeys(location).label).filter((label) => label !== ''));
    const cvss = most(members.map(bestCvss));
    const epss = most(members.map((member) => member.epss));
    const severest = members.toSorted((a, b) => severityRank(b.severity) - severityRank(a.severity))[0];
    return {
      key: key === '' ? NO_KEY : shown(key),
      count: members.length,
      hosts: hosts.size,
      max_severity: severest?.severity ?? 'info',
      ...(cvss === undefined ? {} : { max_cvss: cvss }),
      ...(epss === undefined ? {} : { max_epss: epss }),
      kev: members.some(({ kev }) => kev),
      sample_finding_id: members[0]?.finding_id ?? '',
      members,
    };
  });
}

/** All that a query answers over all its pages. */
export function naiveAnswer(
  all: readonly Finding[],
  query: FindingQuery,
): { matching: Finding[]; groups: NaiveGroup[] } {
  const matching = sorted(
    all.filter((finding) => matches(finding, query)),
    query.sort,
  );
  return { matching, groups: query.group_by === 'none' ? [] : grouped(matching, query.group_by) };
}
