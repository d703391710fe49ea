import { z } from 'zod';
import { Change, type Comparison } from '../../model/contract/compare.ts';
import { ShownFinding } from '../../model/contract/results.ts';
import type { Found } from '../../model/contract/search.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { hintForPeople } from '../errors-for-people.ts';
import type { Style, Terminal } from '../terminal.ts';
import { findingsTable, severityStyle } from './scan-report.ts';
import { renderTable } from './table.ts';

type Paper = Pick<Terminal, 'columns' | 'paint'>;

const Shown = z.object({ ...ShownFinding.shape, change: Change.optional(), changed: z.array(z.string()).optional() });

const CHANGE_TEXT: Readonly<Record<Change, string>> = {
  new: 'new',
  newly_visible: 'newly visible',
  changed: 'changed',
  fixed: 'fixed',
  not_observed: 'not observed',
  persisting: 'persisting',
};

const CHANGE_STYLE: Readonly<Record<Change, Style>> = {
  new: 'red',
  newly_visible: 'yellow',
  changed: 'yellow',
  fixed: 'green',
  not_observed: 'dim',
  persisting: 'dim',
};

/** What changed, for people. */
export function comparisonText(answer: Comparison, paper: Paper): string {
  const { columns, paint } = paper;
  const findings = answer.findings.map((one) => Shown.parse(one));
  const lines = [
    paint(`Scan ${answer.head_scan_id} compared with ${answer.base_scan_id}`, 'bold'),
    hintForPeople(answer.summary),
    '',
  ];
  if (findings.length === 0) return lines.join('\n').trimEnd();
  const rows = findings.map(({ change = 'persisting', changed = [], ...finding }) => [
    CHANGE_TEXT[change],
    finding.severity ?? '',
    cleanLine([finding.title, changed.length > 0 ? `(${changed.join(', ')})` : ''].filter(Boolean).join(' '), 300),
    cleanLine(finding.place ?? '', 300),
    finding.finding_id ?? '',
  ]);
  const titles = [
    { title: 'CHANGE', least: 13 },
    { title: 'SEVERITY' },
    { title: 'FINDING', least: 20 },
    { title: 'WHERE', least: 14 },
    { title: 'ID', least: 12 },
  ];
  lines.push(
    renderTable(titles, rows, {
      columns,
      head: (line) => paint(line, 'bold'),
      style: (padded, column, row) => styled(padded, column, row, paint),
    }),
  );
  return [...lines, ...more(answer.next_cursor)].join('\n');
}

function styled(
  padded: string,
  column: number,
  [change = '', severity = '']: readonly string[],
  paint: Paper['paint'],
): string {
  if (column === 1) return paint(padded, severityStyle(severity));
  const known = Change.options.find((one) => CHANGE_TEXT[one] === change);
  return column === 0 && known !== undefined ? paint(padded, CHANGE_STYLE[known]) : padded;
}

const more = (cursor: string | undefined): string[] => (cursor === undefined ? [] : ['', 'There is more: add --all']);

const ANSWER_STYLE: Readonly<Record<Found['answer'], Style>> = {
  found: 'red',
  not_found: 'green',
  cannot_tell: 'yellow',
};

/** The answer of a search, for people. */
export function searchText(answer: Found, paper: Paper): string {
  const { columns, paint } = paper;
  const lines = [paint(hintForPeople(answer.summary), ANSWER_STYLE[answer.answer])];
  lines.push(
    `Hosts:          ${answer.hosts.searched} searched, ${answer.hosts.could_detect} where a check for it provably ran`,
  );
  if (answer.scans.length > 0) {
    const rows = answer.scans.map((scan) => [scan.scan_id, scan.engine, scan.finished_at, String(scan.findings)]);
    const titles = ['SCAN', 'ENGINE', 'FINISHED', 'FINDINGS'].map((title) => ({ title, least: 8 }));
    lines.push('', renderTable(titles, rows, { columns, head: (line) => paint(line, 'bold') }));
  }
  const findings = answer.findings.map((one) => Shown.parse(one));
  if (findings.length > 0) lines.push('', findingsTable(findings, { columns: Math.max(columns, 120), paint }));
  return [...lines, ...more(answer.next_cursor)].join('\n');
}
