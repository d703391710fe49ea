import type { z } from 'zod';
import type { Results, ShownFinding } from '../../model/contract/results.ts';
import type { Status } from '../../model/contract/status.ts';
import type { Coverage, Place, Verdict } from '../../model/coverage.ts';
import { SEVERITIES, type BySeverity } from '../../model/finding.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { isFinal } from '../../model/scan.ts';
import { hintForPeople } from '../errors-for-people.ts';
import type { Style, Terminal } from '../terminal.ts';
import { progressText } from './progress.ts';
import { renderTable } from './table.ts';

type Shown = z.infer<typeof ShownFinding>;
type Paper = Pick<Terminal, 'columns' | 'paint'>;

const SEVERITY_STYLE: Readonly<Record<string, Style>> = {
  critical: 'magenta',
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
  info: 'dim',
};

export const severityStyle = (severity: string): Style => SEVERITY_STYLE[severity] ?? 'dim';

/** Titles may quote a rule of an imported report: cleaned once more here, where it would act. */
const cell = (text: string | undefined): string => cleanLine(text ?? '', 300);

/** The findings as a table, in the order given. */
export function findingsTable(findings: readonly Shown[], { columns, paint }: Paper): string {
  const titles = [
    { title: 'SEVERITY' },
    { title: 'FINDING', least: 20 },
    { title: 'WHERE', least: 14 },
    { title: 'ID' },
  ];
  const rows = findings.map((finding) => [
    finding.severity ?? '',
    cell(`${finding.kev === true ? 'KEV ' : ''}${finding.title ?? finding.rule_id ?? ''}`),
    cell(finding.place),
    idCell(finding.finding_id ?? '', columns),
  ]);
  return renderTable(titles, rows, {
    columns,
    head: (line) => paint(line, 'bold'),
    style: (padded, column, [severity = '']) => {
      const style = SEVERITY_STYLE[severity];
      return column === 0 && style !== undefined ? paint(padded, style) : padded;
    },
  });
}

/** Below this a whole id would leave no room for titles; the scan's id stands above the table. */
const ROOM_FOR_IDS = 110;

const idCell = (id: string, columns: number): string =>
  columns < ROOM_FOR_IDS ? `.${id.split('.').at(-1) ?? ''}` : id;

export function countsText(by: BySeverity): string {
  const parts = SEVERITIES.toReversed().flatMap((severity) =>
    by[severity] > 0 ? [`${by[severity]} ${severity}`] : [],
  );
  return parts.length > 0 ? parts.join(', ') : 'none';
}

const VERDICT_TEXT: Readonly<Record<Verdict, string>> = {
  complete: 'complete: every requested place was looked at as asked',
  partial: 'PARTIAL: not everything was looked at',
  not_tested: 'NOT TESTED: nothing could be looked at; this is not a clean result',
};

const VERDICT_STYLE: Readonly<Record<Verdict, Style>> = { complete: 'green', partial: 'yellow', not_tested: 'red' };

/** What was looked at and, as prominently, what was not. */
export function coverageLines(
  { verdict, coverage, untested }: { verdict: Verdict; coverage: Coverage; untested?: readonly Place[] | undefined },
  { paint }: Paper,
): string[] {
  const { requested, tested, partial, unreachable, not_tested: skipped } = coverage;
  const lines = [
    `Verdict:        ${paint(VERDICT_TEXT[verdict], VERDICT_STYLE[verdict])}`,
    `Places:         ${requested} requested, ${tested} tested, ${partial} partly, ${unreachable} unreachable, ${skipped} not tested`,
  ];
  for (const { place, status, reason } of untested ?? []) {
    lines.push(`  ${status.padEnd(12)}  ${cell(place)}${reason === undefined ? '' : `: ${cell(reason)}`}`);
  }
  lines.push(`Looked for:     ${coverage.looked_for.map(cell).join(', ') || 'no kind of check is known to have run'}`);
  if (coverage.not_looked_for.length === 0) return [...lines, 'Not looked for: nothing that this engine knows'];
  return [...lines, 'Not looked for:', ...coverage.not_looked_for.map((kind) => `  - ${cell(kind)}`)];
}

const suppressedLine = ({ suppressed: { by_severity: by } }: Results): string[] => {
  const hidden = SEVERITIES.reduce((sum, severity) => sum + by[severity], 0);
  return hidden === 0 ? [] : [`Suppressed:     ${hidden} (${countsText(by)}), not counted`];
};

/** A page (or all pages) of results for people. */
export function resultsText(results: Results, findings: readonly Shown[], paper: Paper): string {
  const { scan_id: id, state, error, total, total_unfiltered: unfiltered, omitted } = results;
  const filtered = total === unfiltered ? '' : ` (of ${unfiltered}; filters: ${results.filters_applied.join(', ')})`;
  const lines = [paper.paint(`Scan ${id}: ${state}`, 'bold')];
  if (error) lines.push(`${error.code}: ${cell(error.message)} ${cell(hintForPeople(error.hint))}`);
  lines.push(`Findings:       ${total}${filtered}`, ...suppressedLine(results), '');
  if (results.groups) lines.push(groupsTable(results.groups, paper), '');
  else if (findings.length > 0) lines.push(findingsTable(findings, paper), '');
  const example = findings[0]?.finding_id ?? results.groups?.[0]?.sample_finding_id;
  if (example !== undefined) lines.push(`Read one with:  scanmux finding ${example}`, '');
  const left = SEVERITIES.reduce((sum, severity) => sum + omitted.by_severity[severity], 0);
  if (left > 0) lines.push(`${left} more (${countsText(omitted.by_severity)}): add --all`, '');
  return [...lines, ...coverageLines(results, paper)].join('\n');
}

function groupsTable(groups: NonNullable<Results['groups']>, { columns, paint }: Paper): string {
  const titles = ['GROUP', 'COUNT', 'HOSTS', 'HIGHEST', 'EXAMPLE'].map((title) => ({ title }));
  const rows = groups.map(({ key, title, count, hosts, max_severity: highest, sample_finding_id: sample }) => [
    cell(title === undefined ? key : `${key}  ${title}`),
    String(count),
    String(hosts),
    highest,
    sample,
  ]);
  return renderTable(titles, rows, { columns, head: (line) => paint(line, 'bold') });
}

export const WAITS_FOR = {
  worker: 'a worker to start',
  slot: 'a free slot of its pool',
  scanner: 'its scanner, which cannot start scans now; `scanmux doctor` says why',
  retry: 'its next try',
  none: 'nothing',
} as const satisfies Readonly<Record<Status['waiting_for'], string>>;

function statusRows(status: Status): readonly (readonly [string, string | undefined])[] {
  const { scanner_pool: pool, scanner_instance: instance, progress, results, error } = status;
  const { authentication: logins } = status;
  return [
    ['Name', status.name],
    ['Progress', progress && !isFinal(status.state) ? progressText(progress) : undefined],
    ['Waits for', status.waiting_for === 'none' ? undefined : WAITS_FOR[status.waiting_for]],
    ['Targets', status.targets.join(', ')],
    ['Pool', instance === undefined ? pool : `${pool} / ${instance}`],
    ['Attempt', status.origin === 'imported' ? undefined : String(status.attempt)],
    ['Position', status.queue_position?.toString()],
    ['Created', status.created_at],
    ['Started', status.started_at],
    ['Finished', status.finished_at],
    ['Trace id', status.trace_id],
    ['Logins', logins && `${logins.success} worked, ${logins.partial} in part, ${logins.failed} failed`],
    ['Findings', results && `${results.findings} (${countsText(results.by_severity)})`],
    ['Suppressed', results && results.suppressed > 0 ? `${results.suppressed}, not counted` : undefined],
    ['Error', error && `${error.code}: ${error.message}`],
  ];
}

/** The status of one scan for people. */
export function statusText(status: Status, paper: Paper): string {
  const lines = [paper.paint(`Scan ${status.scan_id}: ${status.state}`, 'bold')];
  for (const [label, value] of statusRows(status)) {
    if (value !== undefined) lines.push(`${`${label}:`.padEnd(15)} ${cell(value)}`);
  }
  const { verdict, coverage } = status;
  if (verdict && coverage) lines.push(...coverageLines({ verdict, coverage }, paper));
  const advice = (status.troubleshooting ?? []).map((text) => `Advice:         ${cell(hintForPeople(text))}`);
  return [...lines, ...advice].join('\n');
}
