import type { RuleFacts, Severity } from '../../model/finding.ts';
import { severityRank } from '../../model/finding.ts';
import type { ExportedFinding, ExportSource } from './source.ts';

/** What people can read on one page. The other formats have everything. */
export const MOST_FOR_PEOPLE = 2_000;
/** Places of one weakness that are listed one by one. */
export const MOST_PLACES = 100;
/** Characters of each text the target wrote. */
const MOST_EVIDENCE = 1_500;

/** Findings of one rule and one severity. */
export interface FindingGroup {
  readonly severity: Severity;
  /** Of its most urgent finding. */
  readonly rule: RuleFacts;
  readonly findings: readonly ExportedFinding[];
}

export interface MostUrgent {
  /** The worst severity first; within one the most urgent first. */
  readonly groups: readonly FindingGroup[];
  readonly shown: number;
  /** Findings of the export beyond those. */
  readonly left: number;
}

const cut = (text: string | undefined): string | undefined =>
  text !== undefined && text.length > MOST_EVIDENCE
    ? `${text.slice(0, MOST_EVIDENCE).replace(/[\uD800-\uDBFF]$/, '')}…`
    : text;

/** Without what would make two thousand findings large. */
function lightened(finding: ExportedFinding): ExportedFinding {
  const { occurrence } = finding;
  const untrusted = Object.entries(occurrence.untrusted).map(([key, text]) => [key, cut(text)]);
  return { ...finding, occurrence: { ...occurrence, untrusted: Object.fromEntries(untrusted) } };
}

/** The most urgent findings, grouped for people by severity and rule. Yields empty texts, to pass its turns on. */
export function* mostUrgent(source: ExportSource, most: number = MOST_FOR_PEOPLE): Generator<string, MostUrgent> {
  const groups = new Map<string, { severity: Severity; rule: RuleFacts; findings: ExportedFinding[] }>();
  let shown = 0;
  for (const finding of source.findings()) {
    if (shown === most) break;
    shown += 1;
    yield '';
    const { rule } = finding;
    const key = `${rule.severity} ${rule.rule_id}`;
    const group = groups.get(key) ?? { severity: rule.severity, rule, findings: [] };
    groups.set(key, group);
    group.findings.push(lightened(finding));
  }
  return {
    groups: [...groups.values()].toSorted((a, b) => severityRank(b.severity) - severityRank(a.severity)),
    shown,
    left: source.counts.total - shown,
  };
}

/** Title of a rule; some engines only have ids. */
export const titleOf = ({ title, rule_id: id }: RuleFacts): string => (title === '' ? id : title);

/** Packages of one weakness that are named. */
const MOST_PACKAGES = 2;

/** What tells weaknesses of one title apart, as far as the title does not: rule, CVE, packages with their versions. */
export function identityOf({ rule, findings }: FindingGroup): string {
  const { rule_id: id, cves } = rule;
  const packages = new Set(
    findings.flatMap(({ occurrence: { location } }) =>
      location.package === undefined ? [] : [[location.package, location.version].filter(Boolean).join(' ')],
    ),
  );
  const more = packages.size - MOST_PACKAGES;
  const parts = [
    ...new Set([id, ...(cves.length > 2 ? [pluralText(cves.length, 'CVE')] : cves)]),
    ...[...packages].slice(0, MOST_PACKAGES),
    ...(more > 0 ? [`${countText(more)} more`] : []),
  ];
  const title = titleOf(rule);
  return parts.filter((part) => !title.includes(part)).join(' · ');
}

const UNTRUSTED_WORDS = { output: 'Output', banner: 'Banner', title: 'Page title', response: 'Response' } as const;

/** What the target wrote, with a word for what it is. */
export function evidenceOf({ occurrence: { untrusted } }: ExportedFinding): { what: string; text: string }[] {
  const { output, banner, title, response } = untrusted;
  return Object.entries({ output, banner, title, response }).flatMap(([key, text]) => {
    const what = Object.entries(UNTRUSTED_WORDS).find(([name]) => name === key)?.[1];
    return text && what ? [{ what, text }] : [];
  });
}

export const countText = (total: number): string => total.toLocaleString('en-US');
export const pluralText = (total: number, one: string): string => `${countText(total)} ${one}${total === 1 ? '' : 's'}`;

/** What an export for people leaves out, and how to get it; empty when it has everything. */
export function leftOutNotes(source: ExportSource, { shown, left }: MostUrgent): string[] {
  const { filtered } = source.header;
  const suppressed = Object.values(source.counts.suppressed).reduce((sum, n) => sum + n, 0);
  return [
    ...(left > 0
      ? [
          `This page shows the ${countText(shown)} most urgent of ${pluralText(shown + left, 'finding')}. The formats json, jsonl, csv and sarif have all of them.`,
        ]
      : []),
    ...(filtered.length > 0
      ? [
          `Only findings that match these filters are in it: ${filtered.join('; ')}. The scan has ${countText(source.counts.totalUnfiltered)}.`,
        ]
      : []),
    ...(suppressed > 0
      ? [`${pluralText(suppressed, 'suppressed finding')} ${suppressed === 1 ? 'is' : 'are'} left out.`]
      : []),
  ];
}
