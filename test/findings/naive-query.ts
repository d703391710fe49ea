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
  const { name, address, label } = hostKeys(finding.location);
  const literal = addressKey(host);
  if (literal !== undefined) return address === literal;
  const range = addressRange(host);
  if (range) return address !== undefined && address >= range.first && address <= range.last;
  return name === plainHostName(host) || label === (host === NO_KEY ? '' : host);
}

/** Before it was made safe to show. */
const asWritten = (text: string): string =>
  text
    .replaceAll(/hxxp(?=s?:\/\/)/gi, (word) => `${word.charAt(0)}ttp`)
    .replaceAll('[:]', ':')
    .replaceAll(/(?<=www)\[\.\]/gi, '.')
    .replaceAll('] (', '](');

function matchesText({ title, description, untrusted, location }: Finding, text: string): boolean {
  const { package: pkg = '', file = '', url = '', image = '' } = location;
  const seen = Object.values(untrusted).join('\n');
  const places = [seen, pkg, file, url, image].filter((part) => part !== '').join('\n');
  const written = asWritten(seen).split('\n');
  const changed = written.filter((line, index) => line !== seen.split('\n')[index]);
  const texts = [description === undefined ? title : `${title}\n${description}`, [places, ...changed].join('\n')];
  const spellings = [text, cleanUntrusted(text, 10_000), asWritten(text)].map((spelling) => spelling.toLowerCase());
  return texts.some((words) => spellings.some((spelling) => words.toLowerCase().includes(spelling)));
}

const CHECKS: readonly ((finding: Finding, filter: FindingFilter) => boolean)[] = [
  ({ severity }, { severity_levels: levels = [] }) => levels.length === 0 || levels.includes(severity),
  ({ severity }, { min_severity: least = 'info' }) => severityRank(severity) >= severityRank(least),
  (finding, { min_cvss: least }) => least === undefined || (bestCvss(finding) ?? -1) >= least,
  ({ epss = -1 }, { min_epss: least }) => least === undefined || epss >= least,
  ({ kev }, { kev_only: only }) => only !== true || kev,
  (finding, { exploit_available: wanted }) => wanted === undefined || finding.exploit_available === wanted,
  (finding, { host }) => host === undefined || matchesHost(finding, host),
  ({ location }, { port }) => port === undefined || location.port === port,
  ({ cves }, { cve }) => cve === undefined || cves.includes(cve.trim().toUpperCase()),
  (finding, { rule_id: rule }) => rule === undefined || finding.rule_id.toLowerCase() === rule.toLowerCase(),
  (finding, { text }) => text === undefined || matchesText(finding, text),
];

const matches = (finding: Finding, filter: FindingFilter): boolean => CHECKS.every((check) => check(finding, filter));

/** Smaller first; what is undefined comes last. */
function sortKey(finding: Finding, sort: Sort): readonly (string | number)[] {
  switch (sort) {
    case 'urgency':
    case 'count':
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
const sorted = (findings: readonly Finding[], sort: Sort): Finding[] =>
  findings.toSorted((a, b) => compareKeys(sortKey(a, sort), sortKey(b, sort)));

const NO_KEY = '(none)';
const shown = (key: string): string => (key.length > 300 ? `${key.slice(0, 299)}…` : key);

/** Groups a finding is in, as their full keys. */
function keysOf(finding: Finding, by: Exclude<GroupBy, 'none'>): string[] {
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

function titleOf([first]: readonly Finding[], key: string): { title?: string } {
  const { title = '' } = first ?? {};
  if (title === '' || title === key) return {};
  return { title: title.length > 120 ? `${title.slice(0, 119).replace(/[\uD800-\uDBFF]$/, '')}…` : title };
}

/** @param findings Matches in the asked order. */
function grouped(findings: readonly Finding[], by: Exclude<GroupBy, 'none'>): NaiveGroup[] {
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
      ...(by === 'rule' ? titleOf(members, key) : {}),
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
  const groups = query.group_by === 'none' ? [] : grouped(matching, query.group_by);
  return { matching, groups: query.sort === 'count' ? groups.toSorted((a, b) => b.count - a.count) : groups };
}
