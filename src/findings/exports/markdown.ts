import { bestCvss, SEVERITIES } from '../../model/finding.ts';
import type { RuleFacts } from '../../model/finding.ts';
import { placeText } from '../show.ts';
import { countText, evidenceOf, leftOutNotes, MOST_PLACES, mostUrgent, pluralText, titleOf } from './most-urgent.ts';
import type { FindingGroup } from './most-urgent.ts';
import { accessText, coverageParts, momentText, placesLeft, verdictTitle, whosePlaces } from './places-left.ts';
import type { PlacesLeft } from './places-left.ts';
import type { ExportedFinding, ExportSource, Formatter } from './source.ts';

/** Places of one weakness whose evidence is shown. */
const MOST_EVIDENCE = 3;
const MOST_UNTESTED = 100;

/**
 * Text as one line of Markdown that means nothing but itself: no markup, HTML, link, image, table cell, mention or issue
 * number, in CommonMark and in GitHub's dialect, which also links bare addresses.
 */
export const plainText = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*_[\]#|~$]/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '&#64;')
    .replaceAll('://', '&#58;//')
    .replace(/(www)\./gi, '$1&#46;')
    .replace(/^(\d{0,9})([-+=]|[.)](?=\s|$))/, String.raw`$1\$2`);

/** A fence longer than any run of the same character in it cannot be closed from within. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}\n`;
}

const stateText = (scan: ExportSource['header']['scan']): string =>
  [scan.state.replace('_', ' '), scan.origin === 'imported' ? 'imported' : undefined, accessText(scan)]
    .filter((part) => part !== undefined)
    .join(', ');

function headLines({ header, counts }: ExportSource): string[] {
  const { scan, engine, source, summary, coverage } = header;
  const made = [source.tool || engine, source.version].filter(Boolean).join(' ');
  const coverageText = coverageParts(coverage)
    .map(({ words, count }) => `${countText(count)} ${words}`)
    .join(', ');
  return [
    `# Scan report: ${plainText(scan.name ?? scan.targets.slice(0, 5).join(', '))}\n`,
    `**${verdictTitle(header)}.** ${plainText(summary)}\n`,
    '| | |',
    '| --- | --- |',
    `| Targets | ${plainText(scan.targets.slice(0, 20).join(', '))}${scan.targets.length > 20 ? ` and ${countText(scan.targets.length - 20)} more` : ''} |`,
    `| Engine | ${plainText(made)} |`,
    ...(scan.finished_at ? [`| Finished | ${momentText(scan.finished_at)} |`] : []),
    `| Scan | ${plainText(scan.scan_id)}, ${stateText(scan)} |`,
    ...(coverage.looked_for.length > 0 ? [`| Looked for | ${coverage.looked_for.map(plainText).join(', ')} |`] : []),
    `| Places | ${countText(coverage.requested)} ${whosePlaces(scan)}: ${coverageText || 'none looked at'} |`,
    ...SEVERITIES.toReversed().map((severity) => `| ${severity} | ${countText(counts.bySeverity[severity])} |`),
    '',
  ];
}

function reasonLine({ why, count, places }: PlacesLeft): string {
  const more = count - places.length;
  const named = `${places.map(plainText).join(', ')}${more > 0 ? ` and ${countText(more)} more` : ''}`;
  return `- ${pluralText(count, 'place')} ${plainText(why)}${places.length > 0 ? `: ${named}` : ''}`;
}

function notLookedAt(source: ExportSource): string[] {
  const { not_looked_for: kinds } = source.header.coverage;
  const left = placesLeft(source, MOST_UNTESTED);
  if (kinds.length + left.length === 0) return [];
  return ['## What was not looked at\n', ...kinds.map((kind) => `- ${plainText(kind)}`), ...left.map(reasonLine), ''];
}

function factsLine(rule: RuleFacts): string {
  const score = bestCvss(rule);
  const facts = [
    `Rule ${rule.rule_id}`,
    score === undefined ? undefined : `CVSS ${score.toFixed(1)}`,
    rule.epss === undefined ? undefined : `EPSS ${(rule.epss * 100).toFixed(1)} %`,
    rule.kev ? 'known to be exploited (CISA KEV)' : undefined,
    rule.exploit_available ? 'exploit is public' : undefined,
    rule.severity_rated ? undefined : 'severity not rated by the engine',
    ...rule.cves.slice(0, 20),
    rule.cves.length > 20 ? `${rule.cves.length - 20} more CVEs` : undefined,
    ...rule.cwes,
  ];
  return facts
    .filter((fact) => fact !== undefined)
    .map(plainText)
    .join(' · ');
}

function placeLine(finding: ExportedFinding): string {
  const { occurrence, suppression, findingId } = finding;
  const judged = suppression
    ? ` (${suppression.status.replace('_', ' ')} until ${suppression.expires_at.slice(0, 10)}: ${plainText(suppression.reason)})`
    : '';
  const place = placeText(occurrence.location) || 'no place given';
  return `- ${plainText(place)}${judged} — ${plainText(findingId)}`;
}

function* groupLines({ severity, rule, findings }: FindingGroup): Generator<string> {
  yield `### ${severity}: ${plainText(titleOf(rule))}\n`;
  yield `${factsLine(rule)}\n`;
  if (rule.description) yield `${plainText(rule.description)}\n`;
  if (rule.solution) yield `**Solution:** ${plainText(rule.solution)}\n`;
  if (rule.references.length > 0) yield `References: ${rule.references.map(plainText).join(', ')}\n`;
  yield `${pluralText(findings.length, 'place')}:\n`;
  for (const finding of findings.slice(0, MOST_PLACES)) yield placeLine(finding);
  if (findings.length > MOST_PLACES) yield `- and ${pluralText(findings.length - MOST_PLACES, 'more place')}`;
  yield '';
  for (const finding of findings.slice(0, MOST_EVIDENCE)) {
    for (const { what, text } of evidenceOf(finding)) {
      yield `${what} at ${plainText(placeText(finding.occurrence.location))} (written by the scanned system):\n`;
      yield fenced(text);
    }
  }
}

/** A report for people, in Markdown: CommonMark with GitHub's tables. */
export const markdown: Formatter = function* markdown(source) {
  const top = yield* mostUrgent(source);
  const notes = leftOutNotes(source, top);
  for (const line of headLines(source)) yield `${line}\n`;
  for (const note of notes) yield `> ${plainText(note)}\n\n`;
  for (const line of notLookedAt(source)) yield `${line}\n`;
  yield '## Findings\n\n';
  if (top.shown === 0) yield 'None. That is worth as much as what was looked at.\n';
  for (const group of top.groups) for (const line of groupLines(group)) yield `${line}\n`;
};
