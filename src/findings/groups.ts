import type { BySeverity } from '../model/finding.ts';
import { findingId } from '../model/ids.ts';
import type { Row } from '../platform/sqlite.ts';
import type { Where } from './filter.ts';
import { severityCounts, severityOfKey } from './findings-file.ts';
import type { FindingsFile } from './findings-file.ts';
import type { FindingGroup, FindingQuery, GroupBy, Sort } from './findings.ts';
import { shrinkToTokens } from './shrink.ts';
import { jsonWeight, pageWeight } from './tokens.ts';

/** Key of the group of findings without a host, CVE or solution. */
export const NO_KEY = '(none)';
/** A solution may be a page of text; its beginning tells groups apart, the sample finding holds the rest. */
const SHOWN_KEY = 300;
/** No group is smaller than this in JSON, in tokens: what bounds the rows of one page. */
const SMALLEST_GROUP = 25;

const KEY_SQL: Readonly<Record<Exclude<GroupBy, 'none'>, { readonly key: string; readonly join: string }>> = {
  host: { key: 'f.host_label', join: '' },
  rule: { key: 'f.rule_id', join: '' },
  severity: { key: 'f.severity_key', join: '' },
  cve: { key: "coalesce(c.cve, '')", join: 'LEFT JOIN finding_cve AS c ON c.number = f.number' },
  solution: { key: 's.solution', join: 'JOIN body AS s ON s.number = f.number' },
};

const POSITION: Readonly<Record<Sort, string>> = {
  urgency: 'min(f.number)',
  severity: 'min(f.severity_key)',
  cvss: 'min(f.cvss_key)',
  epss: 'min(f.epss_key)',
  host: 'min(f.host_key)',
};

/** Groups in the order of their first finding, then its number, then their key: total, and the same on every call. */
function rankedSql(groupBy: Exclude<GroupBy, 'none'>, sort: Sort, where: Where): string {
  const { key, join } = KEY_SQL[groupBy];
  return `WITH member AS (SELECT f.number AS number, ${key} AS key FROM finding AS f ${join} WHERE ${where.sql}),
    grouped AS (
      SELECT m.key, count(*) AS n, count(DISTINCT nullif(f.host_label, '')) AS hosts, min(f.severity_key) AS severity_key,
        min(f.cvss_key) AS cvss_key, min(f.epss_key) AS epss_key, min(f.kev_key) AS kev_key,
        min(f.number) AS first, ${POSITION[sort]} AS position
      FROM member AS m JOIN finding AS f ON f.number = m.number GROUP BY m.key),
    ranked AS (SELECT *, row_number() OVER (ORDER BY position, first, key) AS rank, count(*) OVER () AS all_groups
      FROM grouped)`;
}

interface AskedGroups {
  readonly scanId: string;
  readonly query: FindingQuery;
  readonly where: Where;
  readonly start: number;
}

interface GroupPage {
  readonly groups: FindingGroup[];
  readonly omitted: BySeverity;
  /** Rank of the last group shown when more follow, else 0. */
  readonly next: number;
}

/** A page of groups. A finding with several CVEs counts in the group of each, and once in `omitted`. */
export function queryGroups(file: FindingsFile, { scanId, query, where, start }: AskedGroups): GroupPage {
  const groupBy = query.group_by === 'none' ? 'host' : query.group_by;
  const sql = rankedSql(groupBy, query.sort, where);
  const limit = Math.ceil(query.max_tokens / SMALLEST_GROUP) + 1;
  const rows = file.db
    .prepare(`${sql} SELECT * FROM ranked WHERE rank > ? ORDER BY rank LIMIT ?`)
    .all(...where.values, start, limit);
  const groups = takeGroups(rows, scanId, query);
  const last = start + groups.length;
  const omittedRows = file.db
    .prepare(
      `${sql} SELECT f.severity_key, count(*) AS n FROM finding AS f WHERE f.number IN (SELECT number FROM member)
       AND f.number NOT IN (SELECT m.number FROM member AS m JOIN ranked AS r ON r.key = m.key WHERE r.rank <= ?)
       GROUP BY f.severity_key`,
    )
    .all(...where.values, last);
  const isMore = Number(rows[0]?.['all_groups'] ?? 0) > last;
  return { groups, omitted: severityCounts(omittedRows), next: isMore ? last : 0 };
}

function takeGroups(rows: readonly Row[], scanId: string, query: FindingQuery): FindingGroup[] {
  const groups: FindingGroup[] = [];
  let left = pageWeight(query.max_tokens);
  for (const row of rows) {
    const group = fitted(toGroup(row, scanId, query.group_by), query.max_tokens, groups.length === 0);
    left -= jsonWeight(group);
    if (left < 0 && groups.length > 0) break;
    groups.push(group);
  }
  return groups;
}

function toGroup(row: Row, scanId: string, groupBy: GroupBy): FindingGroup {
  const cvss = Number(row['cvss_key']);
  const epss = Number(row['epss_key']);
  return {
    key: keyText(row, groupBy),
    count: Number(row['n']),
    hosts: Number(row['hosts']),
    max_severity: severityOfKey(Number(row['severity_key'])),
    ...(cvss <= 0 ? { max_cvss: Math.abs(cvss) } : {}),
    ...(epss <= 0 ? { max_epss: Math.abs(epss) } : {}),
    kev: Number(row['kev_key']) === 0,
    sample_finding_id: findingId(scanId, Number(row['first'])),
  };
}

function keyText(row: Row, groupBy: GroupBy): string {
  if (groupBy === 'severity') return severityOfKey(Number(row['key']));
  const key = String(row['key']);
  if (key === '') return NO_KEY;
  return key.length > SHOWN_KEY ? `${key.slice(0, SHOWN_KEY - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : key;
}

/** The first group of a page is cut rather than left out: its key is the only long part. */
function fitted(group: FindingGroup, maxTokens: number, isFirst: boolean): FindingGroup {
  if (!isFirst) return group;
  const { key, cut } = shrinkToTokens({ ...group }, maxTokens);
  return {
    ...group,
    key: typeof key === 'string' ? key : group.key,
    ...(Array.isArray(cut) ? { cut: cut.map(String) } : {}),
  };
}
