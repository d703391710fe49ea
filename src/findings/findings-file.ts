import { z } from 'zod';
import { AppError } from '../model/errors.ts';
import { ParsedFinding } from '../model/finding.ts';
import type { BySeverity } from '../model/finding.ts';
import { openDatabase } from '../platform/sqlite.ts';
import { sqliteFailure } from '../platform/sqlite-failure.ts';
import type { Database } from '../platform/sqlite.ts';

/** `user_version` of a findings file. A higher one was written by a newer scanmux. */
export const FINDINGS_VERSION = 1;
/** `application_id`: "smxF". */
const APPLICATION_ID = 0x73_6d_78_46;

/** Large, because a finding with its words is about 2 KiB: with SQLite's 4 KiB half of every page stayed empty. */
const PAGE_BYTES = 16_384;

/** Settings of a file that is being made, before its first table. A file that grows beyond its bound is `storage_full`. */
export const newFileSettings = (maxBytes: number): string =>
  `PRAGMA page_size = ${PAGE_BYTES}; PRAGMA max_page_count = ${Math.ceil(maxBytes / PAGE_BYTES)};
   PRAGMA cache_size = -32768;`;

/**
 * The narrow table holds what is sorted and filtered by, so that a count over a million findings touches little; the
 * words stand beside it. `number` is the place in the urgency order.
 */
export const SCHEMA = `
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${FINDINGS_VERSION};
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE finding (
  number INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  severity_key INTEGER NOT NULL,
  cvss_key REAL NOT NULL,
  epss_key REAL NOT NULL,
  kev_key INTEGER NOT NULL,
  exploit INTEGER NOT NULL,
  host_label TEXT NOT NULL,
  host_key TEXT NOT NULL,
  host_name TEXT,
  address_key TEXT,
  port INTEGER,
  rule_id TEXT NOT NULL
);
CREATE TABLE body (number INTEGER PRIMARY KEY, json TEXT NOT NULL, search TEXT NOT NULL, solution TEXT NOT NULL);
CREATE TABLE finding_cve (cve TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (cve, number)) WITHOUT ROWID;
CREATE TABLE place (place TEXT PRIMARY KEY, status TEXT NOT NULL, reason TEXT) WITHOUT ROWID;
`;

/** Made after the rows: filling a finished index is slower. The statistics keep SQLite from poor choices among them. */
export const INDICES = [
  'CREATE INDEX finding_by_severity ON finding (severity_key)',
  'CREATE INDEX finding_by_cvss ON finding (cvss_key, number, severity_key)',
  'CREATE INDEX finding_by_epss ON finding (epss_key, number, severity_key)',
  'CREATE INDEX finding_by_host ON finding (host_key, number, severity_key)',
  'CREATE INDEX finding_by_name ON finding (host_name, severity_key) WHERE host_name IS NOT NULL',
  'CREATE INDEX finding_by_address ON finding (address_key, severity_key) WHERE address_key IS NOT NULL',
  'CREATE INDEX finding_by_rule ON finding (rule_id COLLATE NOCASE, severity_key)',
  'CREATE INDEX finding_by_port ON finding (port, severity_key) WHERE port IS NOT NULL',
  'CREATE INDEX cve_by_finding ON finding_cve (number)',
  'PRAGMA analysis_limit = 400',
  'ANALYZE',
] as const;

/** What stands in the words column: the parsed finding with what ingest saw in it. */
export const StoredFinding = ParsedFinding.extend({ injection_signals: z.array(z.string()) });

export const Meta = z.object({
  engine: z.string(),
  scan_id: z.string(),
  findings: z.coerce.number().int().min(0),
});
export type Meta = z.infer<typeof Meta>;

/** Holds the narrow table of about 100,000 findings; SQLite's 2 MiB would read it again for each of a page's counts. */
const READ_CACHE_KIB = 16_384;

/** An open findings file. */
export interface FindingsFile {
  readonly db: Database;
  readonly meta: Meta;
}

const damaged = (path: string, cause: unknown): AppError =>
  new AppError('storage_unusable', `${path} is damaged or no findings file of scanmux.`, {
    cause,
    hint: 'Operator: restore the file from a copy, or run the scan again; `scanmux doctor` checks the data folder.',
  });

/**
 * Runs a read of a findings file; whatever the driver or a damaged row throws gets our code.
 * @throws AppError storage_unusable, storage_full
 */
export function reading<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    const failure = sqliteFailure(error, path);
    if (failure instanceof AppError || !isDamage(error)) throw failure;
    throw damaged(path, error);
  }
}

/** The driver gives no result code from `all` and `iterate`, only this one. */
const isDriverError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';

/** Rows that are no JSON or do not fit, and tables that are not there. Anything else is a defect of ours. */
const isDamage = (error: unknown): boolean =>
  error instanceof SyntaxError || error instanceof z.ZodError || isDriverError(error);

/** @throws AppError storage_unusable when it is missing, damaged or something else; data_too_new */
export function openFindingsFile(path: string): FindingsFile {
  const db = reading(path, () => openDatabase(path, { readOnly: true, journal: 'keep', schema: 'file' }));
  try {
    return reading(path, () => {
      db.exec(`PRAGMA file.cache_size = -${READ_CACHE_KIB}`);
      const version = Number(db.prepare('PRAGMA file.user_version').get()?.['user_version']);
      const application = Number(db.prepare('PRAGMA file.application_id').get()?.['application_id']);
      if (application !== APPLICATION_ID) throw damaged(path, undefined);
      if (version > FINDINGS_VERSION) {
        throw new AppError('data_too_new', `${path} has version ${version}; this scanmux knows ${FINDINGS_VERSION}.`);
      }
      const rows = db.prepare('SELECT key, value FROM meta').all();
      return { db, meta: Meta.parse(Object.fromEntries(rows.map(({ key, value }) => [key, value]))) };
    });
  } catch (error) {
    db.close();
    throw error;
  }
}

const SEVERITY_OF_KEY = ['critical', 'high', 'medium', 'low', 'info'] as const;

/** Counts out of rows `{severity_key, n}`. */
export function severityCounts(rows: readonly Readonly<Record<string, unknown>>[]): BySeverity {
  const counts = new Map(rows.map((row) => [Number(row['severity_key']), Number(row['n'])]));
  const [critical = 0, high = 0, medium = 0, low = 0, info = 0] = SEVERITY_OF_KEY.map((_, key) => counts.get(key));
  return { critical, high, medium, low, info };
}

export const severityOfKey = (key: number): (typeof SEVERITY_OF_KEY)[number] => SEVERITY_OF_KEY[key] ?? 'info';

export const totalOf = (counts: BySeverity): number =>
  counts.critical + counts.high + counts.medium + counts.low + counts.info;
