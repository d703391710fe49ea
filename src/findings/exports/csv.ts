import { bestCvss } from '../../model/finding.ts';
import type { RuleFacts } from '../../model/finding.ts';
import { shortened } from '../../model/untrusted.ts';
import { placeText } from '../show.ts';
import { memoLast } from './source.ts';
import type { ExportedFinding, Formatter } from './source.ts';

/** Characters a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection), and the mark itself. */
const STARTS_FORMULA = /(?=[=+\-@\t\r＝＋－＠'])(?<=(?:^|[,;|\t\r\n])[ "]*)/gu;

/**
 * Puts `'` where a cell, or what a spreadsheet with another separator would take for one, begins with a formula.
 * Reversible: at the start of a cell and after `, ; | tab` or a line end, with spaces and quotes between, take one `'`
 * away.
 */
export const withoutFormulas = (text: string): string => text.replace(STARTS_FORMULA, "'");

type Cell = string | number | boolean | undefined;
type Columns<T> = Readonly<Record<string, (item: T) => Cell>>;

const listed = (items: readonly string[]): string => items.join(' ');

const RULE_COLUMNS: Columns<RuleFacts> = {
  severity: ({ severity }) => severity,
  title: ({ title }) => title,
  rule_id: (rule) => rule.rule_id,
  rule_family: (rule) => rule.rule_family,
  cvss_score: bestCvss,
  cvss_vectors: ({ cvss }) => listed(cvss.flatMap(({ vector }) => vector ?? [])),
  cves: ({ cves }) => listed(cves),
  cwes: ({ cwes }) => listed(cwes),
  epss: ({ epss }) => epss,
  epss_source: (rule) => rule.epss_source,
  vpr: ({ vpr }) => vpr,
  kev: ({ kev }) => kev,
  kev_source: (rule) => rule.kev_source,
  exploit_available: (rule) => rule.exploit_available,
  confidence: ({ confidence }) => confidence,
  severity_source: (rule) => rule.severity_source,
  severity_rated: (rule) => rule.severity_rated,
  description: ({ description }) => description,
  solution: ({ solution }) => solution,
  references: ({ references }) => listed(references),
};

const PLACE_KEYS = [
  'host',
  'ip',
  'port',
  'protocol',
  'service',
  'url',
  'method',
  'parameter',
  'file',
  'line',
  'image',
  'package',
  'version',
  'fixed_version',
] as const;

const OWN_COLUMNS: Columns<ExportedFinding> = {
  place: ({ occurrence }) => placeText(occurrence.location),
  ...Object.fromEntries(
    PLACE_KEYS.map((key) => [key, ({ occurrence }: ExportedFinding): Cell => occurrence.location[key]]),
  ),
  discriminator: ({ occurrence }) => occurrence.discriminator,
  compliance: ({ occurrence }) => occurrence.compliance,
  report_state: ({ occurrence }) => occurrence.report_state,
  suppression_status: ({ suppression }) => suppression?.status,
  suppression_reason: ({ suppression }) => suppression?.reason,
  suppression_expires_at: ({ suppression }) => suppression?.expires_at,
  injection_signals: ({ occurrence }) => listed(occurrence.injection_signals),
  finding_id: ({ findingId }) => findingId,
  fingerprint: ({ fingerprint }) => fingerprint,
  untrusted_title: ({ occurrence }) => occurrence.untrusted.title,
  untrusted_banner: ({ occurrence }) => occurrence.untrusted.banner,
  untrusted_output: ({ occurrence }) => occurrence.untrusted.output,
  untrusted_response: ({ occurrence }) => occurrence.untrusted.response,
};

export const CSV_COLUMNS: readonly string[] = ['engine', ...Object.keys(RULE_COLUMNS), ...Object.keys(OWN_COLUMNS)];

/** Excel puts what is longer into the rows below, where it begins cells of its own. */
const MOST_CELL_CHARS = 32_767;

/** Numbers stand bare; text is always quoted, so that no separator in it can begin a cell. */
function cellText(cell: Cell): string {
  if (cell === undefined || cell === '') return '';
  if (typeof cell !== 'string') return String(cell);
  return `"${shortened(withoutFormulas(shortened(cell, MOST_CELL_CHARS)), MOST_CELL_CHARS).replaceAll('"', '""')}"`;
}

const cells = <T>(columns: Columns<T>): ((item: T) => string) => {
  const readers = Object.values(columns);
  return (item) => readers.map((read) => cellText(read(item))).join(',');
};

/** RFC 4180: comma, CRLF, one heading line, one row per finding; UTF-8 without a byte order mark. */
export const csv: Formatter = function* csv(source) {
  yield `${CSV_COLUMNS.join(',')}\r\n`;
  const engine = cellText(source.header.engine);
  const ruleCells = memoLast(cells(RULE_COLUMNS));
  const ownCells = cells(OWN_COLUMNS);
  for (const finding of source.findings()) {
    yield `${engine},${ruleCells(finding.rule)},${ownCells(finding)}\r\n`;
  }
};
