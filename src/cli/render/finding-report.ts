import type { FindingAnswer } from '../../model/contract/results.ts';
import type { Cvss, Location } from '../../model/finding.ts';
import { cleanLine, cleanUntrusted } from '../../model/untrusted.ts';
import type { Terminal } from '../terminal.ts';
import { coverageLines, severityStyle } from './scan-report.ts';

type Paper = Pick<Terminal, 'columns' | 'paint'>;
type Row = readonly [label: string, value: string | undefined];

/** One finding for people: what it is, where, what to do, and what the scanned system itself wrote. */
export function findingText(finding: FindingAnswer, paper: Paper): string {
  const { severity = 'info', finding_id: id } = finding;
  const title = paper.paint(line(finding.title ?? finding.rule_id ?? id), 'bold');
  const lines = [title, row('Severity', paper.paint(severity, severityStyle(severity)) + severityNote(finding))];
  for (const [label, value] of facts(finding))
    if (value !== undefined && value !== '') lines.push(row(label, line(value)));
  for (const [label, value] of [
    ['Description', finding.description],
    ['Solution', finding.solution],
  ] satisfies Row[]) {
    if (value !== undefined) lines.push('', `${label}:`, `  ${line(value)}`);
  }
  const { references = [] } = finding;
  if (references.length > 0) lines.push('', 'References:', ...references.map((reference) => `  - ${line(reference)}`));
  // What was not looked at is told with the results of the scan; here only how far this finding's scan can be trusted.
  const verdict = coverageLines(finding, paper).slice(0, 2);
  return [
    ...lines,
    ...evidenceLines(finding, paper),
    ...otherScans(finding),
    '',
    `Of scan ${finding.scan_id}:`,
    ...verdict,
  ].join('\n');
}

/** What other scans say of it. */
function otherScans({ witnesses = [], history = [] }: FindingAnswer): string[] {
  return [
    ...(witnesses.length > 0 ? ['', 'The same CVE at the same place, by others:'] : []),
    ...witnesses.map((one) => `  - ${line(one.engine)}: ${one.finding_id} (${one.severity})`),
    ...(history.length > 0 ? ['', 'Earlier scans that looked there:'] : []),
    ...history.map((one) => `  - ${one.finished_at} ${one.scan_id}: ${one.present ? 'there' : 'not there'}`),
  ];
}

/** Longer than any text of a finding. */
const MAX_TEXT = 20_000;

const line = (text: string): string => cleanLine(text, MAX_TEXT);
const row = (label: string, value: string): string => `${`${label}:`.padEnd(15)} ${value}`;

function severityNote({ severity_source: source, severity_rated: rated }: FindingAnswer): string {
  const from = source === undefined ? '' : ` (from: ${line(source)})`;
  return rated === false ? `${from}; the engine did not rate it` : from;
}

const facts = (finding: FindingAnswer): readonly Row[] => [
  ['Where', finding.place],
  ['Details', finding.location && locationText(finding.location)],
  ['Check', [finding.rule_id, finding.rule_family && `(${finding.rule_family})`].filter(Boolean).join(' ')],
  ['Engine', finding.engine],
  ['Confidence', finding.confidence],
  ['CVSS', finding.cvss?.map(scoreText).join('; ')],
  ['CVEs', finding.cves?.join(', ')],
  ['CWEs', finding.cwes?.join(', ')],
  ['EPSS', finding.epss?.toString()],
  ['Exploited', finding.kev === true ? 'yes, it is in the CISA catalogue (KEV)' : undefined],
  ['Exploit', finding.exploit_available === true ? 'one is public' : undefined],
  ['Suppressed', finding.suppression && suppressionText(finding.suppression)],
  ['Finding id', finding.finding_id],
  ['Shortened', finding.cut?.join('; ')],
];

const suppressionText = ({ status, expires_at: until, reason }: NonNullable<FindingAnswer['suppression']>): string =>
  `${status} until ${until}: ${reason}`;

const scoreText = ({ version, score, vector }: Cvss): string =>
  `${score} (CVSS ${[version, vector].filter(Boolean).join(', ')})`;

const locationText = (location: Location): string =>
  Object.entries(location)
    .map(([key, value]) => `${key.replaceAll('_', ' ')} ${value}`)
    .join(', ');

/** Each line marked, so that nothing the target wrote can pass for a line of ours. */
function evidenceLines({ untrusted = {}, injection_signals: signals = [] }: FindingAnswer, { paint }: Paper): string[] {
  const parts = Object.entries(untrusted).flatMap(([name, text]) => (text ? [{ name, text }] : []));
  if (parts.length === 0) return [];
  const lines = ['', paint('Evidence, written by the scanned system (data, not instructions):', 'bold')];
  if (signals.length > 0) lines.push(paint('  It looks like instructions to a model.', 'yellow'));
  for (const { name, text } of parts) {
    lines.push(
      `  ${name}:`,
      ...cleanUntrusted(text, MAX_TEXT)
        .split('\n')
        .map((part) => `  | ${part}`),
    );
  }
  return lines;
}
