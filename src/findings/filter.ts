import { AppError } from '../model/errors.ts';
import { severityRank } from '../model/finding.ts';
import { isLikeAddress } from '../model/target.ts';
import type { SqlValue } from '../platform/sqlite.ts';
import { addressKey, addressRange } from './address-key.ts';
import type { FindingFilter } from './findings.ts';
import { plainHostName } from './host-keys.ts';
import { lastMade } from './kept.ts';
import { EXPLOIT, KEV } from './layout.ts';
import { placeKey } from './look-scope.ts';
import type { OpenFindings, RuleColumns } from './open-findings.ts';
import { listedTest, solePlace } from './place-claims.ts';
import { isAddressed } from './place-labels.ts';
import { findWords } from './word-search.ts';
import type { WordHits } from './word-search.ts';

/** A filter as what passes of each table, 1 by id; what is absent lets everything through. A finding passes all of them. */
export interface Masks {
  readonly rules?: Uint8Array;
  readonly hosts?: Uint8Array;
  readonly port?: number;
  readonly words?: WordHits;
}

const CVE = /^CVE-\d{4}-\d{4,}$/;

/**
 * What a filter means for one file. Nothing here grows with the number of findings but the search for words.
 * @throws AppError invalid_request for a CVE that is none
 */
export function masksOf(file: OpenFindings, filter: FindingFilter): Masks {
  const { host, port, text } = filter;
  const conditions = [...ruleConditions(filter, file.rules), ...namedRules(file, filter)];
  const hosts = host === undefined ? undefined : hostMask(file, host);
  return {
    ...(conditions.length === 0 ? {} : { rules: ruleMask(file.rules.count, conditions) }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(port === undefined ? {} : { port }),
    ...(text === undefined || text === '' ? {} : { words: findWords(file, text) }),
  };
}

/** Whether the rule with this id passes. */
type RuleCondition = (id: number) => boolean;

function ruleMask(count: number, conditions: readonly RuleCondition[]): Uint8Array {
  const mask = new Uint8Array(count);
  for (let id = 0; id < count; id += 1) mask[id] = conditions.every((passes) => passes(id)) ? 1 : 0;
  return mask;
}

function ruleConditions(filter: FindingFilter, rules: RuleColumns): RuleCondition[] {
  return [...severityConditions(filter, rules), ...scoreConditions(filter, rules)];
}

function severityConditions(
  { severity_levels: levels = [], min_severity: min }: FindingFilter,
  { severity }: RuleColumns,
): RuleCondition[] {
  const keys = new Set(levels.map((level) => 4 - severityRank(level)));
  const most = min === undefined ? undefined : 4 - severityRank(min);
  return [
    ...(keys.size === 0 ? [] : [(id: number) => keys.has(severity[id] ?? -1)]),
    ...(most === undefined ? [] : [(id: number) => (severity[id] ?? 5) <= most]),
  ];
}

/** A rule without a score never passes a bound, not even 0. */
function scoreConditions(
  { min_cvss, min_epss, kev_only, exploit_available }: FindingFilter,
  { cvss, epss, flags }: RuleColumns,
): RuleCondition[] {
  const atLeast = (scores: Float64Array, min: number): RuleCondition => {
    const least = Math.max(min, 0);
    return (id) => (scores[id] ?? -1) >= least;
  };
  const flagged = (flag: number, wanted: boolean): RuleCondition => {
    return (id) => (((flags[id] ?? 0) & flag) !== 0) === wanted;
  };
  return [
    ...(min_cvss === undefined ? [] : [atLeast(cvss, min_cvss)]),
    ...(min_epss === undefined ? [] : [atLeast(epss, min_epss)]),
    ...(kev_only === true ? [flagged(KEV, true)] : []),
    ...(exploit_available === undefined ? [] : [flagged(EXPLOIT, exploit_available)]),
  ];
}

/** NUL and half characters: text with one is in no file. */
const UNSTORABLE = /\0|\p{Cs}/u;

function idsWhere(file: OpenFindings, sql: string, ...values: SqlValue[]): Set<number> {
  if (values.some((value) => typeof value === 'string' && UNSTORABLE.test(value))) return new Set();
  const rows = file.db.prepare(sql).all(...values);
  return new Set(rows.map(({ id }) => Number(id)));
}

function namedRules(file: OpenFindings, { cve, rule_id: rule }: FindingFilter): RuleCondition[] {
  const conditions: RuleCondition[] = [];
  if (rule !== undefined) {
    const names = idsWhere(file, 'SELECT id FROM rule_name WHERE text = ? COLLATE NOCASE', rule);
    conditions.push((id) => names.has(file.rules.name[id] ?? -1));
  }
  if (cve !== undefined) {
    const rules = idsWhere(file, 'SELECT rule AS id FROM rule_cve WHERE cve = ?', cveId(cve));
    conditions.push((id) => rules.has(id));
  }
  return conditions;
}

function cveId(cve: string): string {
  const id = cve.trim().toUpperCase();
  if (!CVE.test(id)) throw new AppError('invalid_request', 'cve must look like CVE-2024-3094.');
  return id;
}

/** Key of the group of findings without a host, CVE or solution. */
export const NO_KEY = '(none)';

const keptHosts = lastMade<Uint8Array>(4);

const hostMask = (file: OpenFindings, host: string): Uint8Array =>
  keptHosts(file, host, () => {
    const ids = hostIds(file, host);
    const last = file.db.prepare('SELECT coalesce(max(id), -1) AS id FROM host').get();
    const mask = new Uint8Array(Number(last?.['id']) + 1);
    for (const id of ids) mask[id] = 1;
    return mask;
  });

function hostIds(file: OpenFindings, host: string): Set<number> {
  const address = addressKey(host);
  if (address !== undefined) return idsWhere(file, 'SELECT id FROM host WHERE address_key = ?', address);
  const range = addressRange(host);
  if (range) return idsWhere(file, 'SELECT id FROM host WHERE address_key BETWEEN ? AND ?', range.first, range.last);
  // What findings without a host are grouped by: an image, a file, nothing.
  const labelled = idsWhere(file, 'SELECT id FROM host WHERE label = ?', host === NO_KEY ? '' : host);
  const named = idsWhere(file, 'SELECT id FROM host WHERE name = ?', plainHostName(host));
  const found = new Set([...labelled, ...named]);
  return found.size > 0 ? found : artefactIds(file, host);
}

/**
 * Images and files in another spelling: places have one for all, so that whoever asks for it must not be told that
 * nothing is there. Who asks for the one thing that was scanned asks for all that lies in it.
 */
function artefactIds(file: OpenFindings, host: string): Set<number> {
  const asked = placeKey(host);
  const isAll = solePlace(file) === asked;
  const ids = new Set<number>();
  const rows = file.db.prepare('SELECT id, label FROM host WHERE name IS NULL AND address_key IS NULL').iterate();
  for (const { id, label } of rows) if (isAll || placeKey(String(label)) === asked) ids.add(Number(id));
  return ids;
}

/**
 * Whether a `host` may be asked of a file: true unless it looks like an address, a port or a URL and is none that the
 * file knows. Of such a text nobody must hear that nothing is there.
 */
export const knowsHost = (file: OpenFindings, { host }: FindingFilter): boolean =>
  host === undefined ||
  !isLikeAddress(host) ||
  isAddressed(host) ||
  hostMask(file, host).includes(1) ||
  (!host.includes('://') && listedTest(file)(placeKey(host)));
