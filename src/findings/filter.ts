import { AppError } from '../model/errors.ts';
import { severityRank } from '../model/finding.ts';
import { cleanUntrusted } from '../model/untrusted.ts';
import type { SqlValue } from '../platform/sqlite.ts';
import { addressKey, addressRange } from './address-key.ts';
import type { FindingFilter } from './findings.ts';
import { plainHostName } from './host-keys.ts';

/** Conditions on `finding AS f`, with their values. */
export interface Where {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

const condition = (sql: string, ...values: SqlValue[]): Where => ({ sql, values });

const CVE = /^CVE-\d{4}-\d{4,}$/;

/**
 * The filter as SQL over the full table. No value is ever part of the text.
 * @throws AppError invalid_request for a host that looks like a range and is none, or a CVE that is none
 */
export function whereOf(filter: FindingFilter): Where {
  const parts = [...severityParts(filter), ...scoreParts(filter), ...placeParts(filter), ...wordParts(filter)];
  if (parts.length === 0) return { sql: '1', values: [] };
  return { sql: parts.map(({ sql }) => `(${sql})`).join(' AND '), values: parts.flatMap(({ values }) => values) };
}

function severityParts({ severity_levels: levels = [], min_severity: min }: FindingFilter): Where[] {
  const keys = levels.map((level) => 4 - severityRank(level));
  return [
    ...(keys.length > 0 ? [condition(`f.severity_key IN (${keys.map(() => '?').join(', ')})`, ...keys)] : []),
    ...(min === undefined ? [] : [condition('f.severity_key <= ?', 4 - severityRank(min))]),
  ];
}

/** The keys are negated scores; 1 stands for "has none" and never passes. */
function scoreParts({ min_cvss, min_epss, kev_only, exploit_available }: FindingFilter): Where[] {
  return [
    ...(min_cvss === undefined ? [] : [condition('f.cvss_key <= ?', -Math.max(min_cvss, 0))]),
    ...(min_epss === undefined ? [] : [condition('f.epss_key <= ?', -Math.max(min_epss, 0))]),
    ...(kev_only === true ? [condition('f.kev_key = 0')] : []),
    ...(exploit_available === undefined ? [] : [condition('f.exploit = ?', exploit_available ? 1 : 0)]),
  ];
}

function placeParts({ host, port, rule_id: rule }: FindingFilter): Where[] {
  return [
    ...(host === undefined ? [] : [hostPart(host)]),
    ...(port === undefined ? [] : [condition('f.port = ?', port)]),
    ...(rule === undefined ? [] : [condition('f.rule_id = ? COLLATE NOCASE', rule)]),
  ];
}

function hostPart(host: string): Where {
  const address = addressKey(host);
  if (address !== undefined) return condition('f.address_key = ?', address);
  const range = addressRange(host);
  if (range) return condition('f.address_key BETWEEN ? AND ?', range.first, range.last);
  if (/[/:]/.test(host) || host.trim() === '') {
    throw new AppError(
      'invalid_request',
      'host must be an IP address, a CIDR such as 10.0.0.0/24, or a host name; the port has a filter of its own.',
    );
  }
  return condition('f.host_name = ?', plainHostName(host));
}

function wordParts({ cve, text }: FindingFilter): Where[] {
  return [...(cve === undefined ? [] : [cvePart(cve)]), ...(text === undefined || text === '' ? [] : [textPart(text)])];
}

function cvePart(cve: string): Where {
  const id = cve.trim().toUpperCase();
  if (!CVE.test(id)) throw new AppError('invalid_request', 'cve must look like CVE-2024-3094.');
  return condition('f.number IN (SELECT number FROM finding_cve WHERE cve = ?)', id);
}

/** Links in untrusted text are stored defanged; who searches for one should not have to know that. */
function textPart(text: string): Where {
  const plain = text.toLowerCase();
  const cleaned = cleanUntrusted(text, 10_000).toLowerCase();
  return condition(
    `EXISTS (SELECT 1 FROM body AS b WHERE b.number = f.number AND (instr(b.search, ?) > 0 OR instr(b.search, ?) > 0))`,
    plain,
    cleaned,
  );
}
