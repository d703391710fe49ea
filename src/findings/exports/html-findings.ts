import { bestCvss } from '../../model/finding.ts';
import type { RuleFacts } from '../../model/finding.ts';
import { placeText } from '../show.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';
import { evidenceOf, identityOf, MOST_PLACES, pluralText, titleOf } from './most-urgent.ts';
import type { FindingGroup } from './most-urgent.ts';
import type { ExportedFinding } from './source.ts';

/** Places of one weakness whose evidence is shown. */
const MOST_EVIDENCE = 5;
const MOST_CVES = 30;

/** Ids are checked by the schema, so these are the only links: no text of a report becomes one. */
const cveLink = (cve: string): Markup =>
  markup`<a href="https://nvd.nist.gov/vuln/detail/${cve}" rel="noopener noreferrer">${cve}</a>`;
const cweLink = (cwe: string): Markup =>
  markup`<a href="https://cwe.mitre.org/data/definitions/${cwe.slice('CWE-'.length)}.html" rel="noopener noreferrer">${cwe}</a>`;

const joined = (parts: readonly Markup[], separator: string): Markup =>
  markup`${parts.map((part, at) => (at === 0 ? part : markup`${separator}${part}`))}`;

const flags = ({ kev, exploit_available: exploit }: RuleFacts): Markup[] => [
  ...(kev ? [markup`<span class="flag">exploited (KEV)</span>`] : []),
  ...(exploit ? [markup`<span class="flag">exploit public</span>`] : []),
];

/** One line per weakness, with the way to its details. */
export function overview(groups: readonly FindingGroup[]): Markup {
  return markup`<table>
<thead><tr><th scope="col">Severity</th><th scope="col">Weakness</th><th scope="col" class="number wide">CVSS</th><th scope="col" class="number">Places</th></tr></thead>
<tbody>${groups.map(({ severity, rule, findings }, at) => {
    const identity = identityOf({ severity, rule, findings });
    return markup`
<tr><td><span class="chip ${severity}">${severity}</span></td><td><a href="#w${at + 1}">${titleOf(rule)}</a>${flags(rule)}${identity === '' ? undefined : markup`<div class="small soft">${identity}</div>`}</td><td class="number wide">${bestCvss(rule)?.toFixed(1) ?? '–'}</td><td class="number">${findings.length}</td></tr>`;
  })}
</tbody></table>
`;
}

function metaOf(rule: RuleFacts): Markup {
  const score = rule.cvss.toSorted((a, b) => b.version.localeCompare(a.version) || b.score - a.score)[0];
  const facts = [
    markup`Rule <span class="mono">${rule.rule_id}</span>`,
    ...(score
      ? [
          markup`CVSS ${score.version}: ${score.score.toFixed(1)}${score.vector ? markup` <span class="mono">${score.vector}</span>` : undefined}`,
        ]
      : []),
    ...(rule.epss === undefined
      ? []
      : [markup`EPSS ${(rule.epss * 100).toFixed(1)} %${rule.epss_source ? ` (${rule.epss_source})` : ''}`]),
    ...(rule.vpr === undefined ? [] : [markup`VPR ${rule.vpr.toFixed(1)}`]),
    ...(rule.severity_rated ? [] : [markup`severity not rated by the engine`]),
    ...(rule.confidence === 'tentative' ? [markup`not certain`] : []),
    ...rule.cves.slice(0, MOST_CVES).map(cveLink),
    ...(rule.cves.length > MOST_CVES ? [markup`${pluralText(rule.cves.length - MOST_CVES, 'more CVE')}`] : []),
    ...rule.cwes.map(cweLink),
  ];
  return markup`<p class="meta">${joined(facts, ' · ')}</p>`;
}

const STATUS_WORDS = {
  false_positive: 'judged a false positive',
  accepted_risk: 'risk accepted',
  mitigated: 'mitigated',
} as const;

/** What is worth knowing beside the place itself. */
function besideOf({ occurrence, suppression }: ExportedFinding): string {
  const { service, package: pkg, file, fixed_version: fixed } = occurrence.location;
  const judged =
    suppression &&
    `${STATUS_WORDS[suppression.status]} until ${suppression.expires_at.slice(0, 10)}: ${suppression.reason}`;
  const parts = [
    service,
    file === undefined ? undefined : pkg,
    fixed && `fixed in ${fixed}`,
    occurrence.compliance && `audit: ${occurrence.compliance}`,
    occurrence.report_state,
    judged,
  ];
  return parts.filter(Boolean).join(' · ');
}

function placeItem(finding: ExportedFinding, showsEvidence: boolean): Markup {
  const place = placeText(finding.occurrence.location) || 'no place given';
  const beside = besideOf(finding);
  const evidence = showsEvidence ? evidenceOf(finding) : [];
  return markup`<li><span class="mono">${place}</span>${beside === '' ? undefined : markup` <span class="small soft">${beside}</span>`}${evidence.map(
    ({ what, text }) =>
      markup`<div class="evidence"><p>${what}, written by the scanned system</p><pre>${text}</pre></div>`,
  )}</li>`;
}

/** The first places with their evidence, the rest in columns. */
function placeLists(findings: readonly ExportedFinding[]): Markup {
  const hasEvidence = findings.slice(0, MOST_EVIDENCE).some((finding) => evidenceOf(finding).length > 0);
  const inFull = hasEvidence ? MOST_EVIDENCE : 0;
  const first = findings.slice(0, inFull).map((finding) => placeItem(finding, true));
  const rest = findings.slice(inFull, MOST_PLACES).map((finding) => placeItem(finding, false));
  const more = findings.length - MOST_PLACES;
  const columns = rest.length > 3 ? ' two' : '';
  return markup`${first.length > 0 ? markup`<ul class="places">${first}</ul>` : undefined}${rest.length > 0 ? markup`<ul class="places${columns}">${rest}</ul>` : undefined}
${more > 0 ? markup`<p class="small soft">And ${pluralText(more, 'more place')}.</p>` : undefined}`;
}

/** One weakness with what it is, what to do, and where it is. */
export function findingSection({ severity, rule, findings }: FindingGroup, number: number): Markup {
  const { description, solution, references } = rule;
  return markup`<article class="finding ${severity}" id="w${number}">
<div class="marks"><span class="chip ${severity}">${severity}</span>${flags(rule)}</div>
<h3>${titleOf(rule)}</h3>
${metaOf(rule)}
${description ? markup`<p class="text">${description}</p>` : undefined}
${solution ? markup`<h4>What to do</h4><p class="text">${solution}</p>` : undefined}
<h4>${pluralText(findings.length, 'place')}</h4>
${placeLists(findings)}
${references.length > 0 ? markup`<h4>References</h4><ul class="small">${references.map((text) => markup`<li>${text}</li>`)}</ul>` : undefined}
</article>
`;
}
