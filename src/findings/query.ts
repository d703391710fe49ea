import { findingId } from '../model/ids.ts';
import type { Row } from '../platform/sqlite.ts';
import { decodeCursor, encodeCursor, queryHash } from './cursor.ts';
import { whereOf } from './filter.ts';
import type { Where } from './filter.ts';
import { severityCounts, StoredFinding, totalOf } from './findings-file.ts';
import type { FindingsFile } from './findings-file.ts';
import type { Finding, FindingPage, FindingQuery, ShownFinding, Sort } from './findings.ts';
import { queryGroups } from './groups.ts';
import { checkFields, showFinding } from './show.ts';
import { shrinkToTokens } from './shrink.ts';
import { jsonWeight, pageWeight } from './tokens.ts';

/** Rows fetched at once: a page rarely needs more, and large bodies should not be read for nothing. */
const CHUNK = 40;

/** The column each order goes by before the number, which is the urgency order itself. */
export const SORT_COLUMN: Readonly<Record<Sort, string>> = {
  urgency: 'number',
  severity: 'severity_key',
  cvss: 'cvss_key',
  epss: 'epss_key',
  host: 'host_key',
};

export const toFinding = (file: FindingsFile, scanId: string, row: Row): Finding => ({
  finding_id: findingId(scanId, Number(row['number'])),
  fingerprint: String(row['fingerprint']),
  engine: file.meta.engine,
  ...StoredFinding.parse(JSON.parse(String(row['json']))),
});

/** One finding by its number. */
export function readFinding(file: FindingsFile, scanId: string, number: number): Finding | undefined {
  if (!Number.isSafeInteger(number)) return undefined;
  const row = file.db
    .prepare(
      'SELECT f.number, f.fingerprint, b.json FROM finding AS f JOIN body AS b USING (number) WHERE f.number = ?',
    )
    .get(number);
  return row && toFinding(file, scanId, row);
}

/** Everything that matches and stands after a finding in the order of the query. */
function after(where: Where, sort: Sort, number: number): Where {
  if (number === 0) return where;
  const column = SORT_COLUMN[sort];
  if (column === 'number') return { sql: `${where.sql} AND f.number > ?`, values: [...where.values, number] };
  return {
    sql: `${where.sql} AND (f.${column}, f.number) > (SELECT l.${column}, l.number FROM finding AS l WHERE l.number = ?)`,
    values: [...where.values, number],
  };
}

const countBySeverity = (file: FindingsFile, { sql, values }: Where) =>
  severityCounts(
    file.db
      .prepare(`SELECT f.severity_key, count(*) AS n FROM finding AS f WHERE ${sql} GROUP BY f.severity_key`)
      .all(...values),
  );

/**
 * One page of findings or groups.
 * @throws AppError cursor_invalid, invalid_request
 */
export function queryPage(file: FindingsFile, scanId: string, query: FindingQuery): FindingPage {
  checkFields(query.fields);
  const where = whereOf(query);
  const hash = queryHash(file.db.path, scanId, query);
  const start = decodeCursor(hash, query.cursor);
  const bySeverity = countBySeverity(file, where);
  const facts = { total: totalOf(bySeverity), totalUnfiltered: file.meta.findings, bySeverity };
  if (query.group_by !== 'none') {
    const { groups, omitted, next } = queryGroups(file, { scanId, query, where, start });
    return { ...facts, groups, omitted, ...(next > 0 ? { nextCursor: encodeCursor(hash, next) } : {}) };
  }
  const { findings, last } = takePage(file, { scanId, query, where, start });
  const omitted = countBySeverity(file, after(where, query.sort, last));
  const isMore = last > 0 && totalOf(omitted) > 0;
  return { ...facts, findings, omitted, ...(isMore ? { nextCursor: encodeCursor(hash, last) } : {}) };
}

export interface Asked {
  readonly scanId: string;
  readonly query: FindingQuery;
  readonly where: Where;
  /** Position after which the page begins; 0 for the first. */
  readonly start: number;
}

function takePage(file: FindingsFile, asked: Asked): { findings: ShownFinding[]; last: number } {
  const { scanId, query } = asked;
  const findings: ShownFinding[] = [];
  let left = pageWeight(query.max_tokens);
  let last = asked.start;
  for (;;) {
    const rows = nextRows(file, asked, last);
    for (const row of rows) {
      const shown = showFinding(toFinding(file, scanId, row), query.detail, query.fields);
      const fitting = findings.length === 0 ? shrinkToTokens(shown, query.max_tokens) : shown;
      left -= jsonWeight(fitting);
      if (left < 0 && findings.length > 0) return { findings, last };
      findings.push(fitting);
      last = Number(row['number']);
    }
    if (rows.length < CHUNK) return { findings, last };
  }
}

function nextRows(file: FindingsFile, { query, where }: Asked, last: number): readonly Row[] {
  const { sql, values } = after(where, query.sort, last);
  const column = SORT_COLUMN[query.sort];
  const order = column === 'number' ? 'f.number' : `f.${column}, f.number`;
  return file.db
    .prepare(
      `SELECT f.number, f.fingerprint, b.json FROM finding AS f JOIN body AS b ON b.number = f.number
       WHERE ${sql} ORDER BY ${order} LIMIT ${CHUNK}`,
    )
    .all(...values);
}
