import { z } from 'zod';
import { Occurrence } from '../model/finding.ts';

/** `user_version` of a findings file. A higher one was written by a newer scanmux. */
export const FINDINGS_VERSION = 4;
/** `application_id`: "smxF". */
export const APPLICATION_ID = 0x73_6d_78_46;

/** Large, because a finding with its words is about 2 KiB: with SQLite's 4 KiB half of every page stayed empty. */
const PAGE_BYTES = 16_384;

/** Rows come in order, so that little is read again; what is still in memory at the end is written in one go. */
const WRITE_CACHE_KIB = 8_192;

/** Settings of a file that is being made, before its first table. A file that grows beyond its bound is `storage_full`. */
export const newFileSettings = (maxBytes: number): string =>
  `PRAGMA page_size = ${PAGE_BYTES}; PRAGMA max_page_count = ${Math.ceil(maxBytes / PAGE_BYTES)};
   PRAGMA cache_size = -${WRITE_CACHE_KIB};`;

/**
 * Whatever findings are filtered, sorted, grouped and compared by stands in `columns`: one array per attribute, packed,
 * which a reader loads whole (16 bytes per finding) and goes through in memory, so that any combination of filters over
 * a million findings is one pass of a few milliseconds with exact counts. SQLite is the container: it finds a row by id,
 * notices damage, and holds the words, which are only read for what is shown.
 *
 * Ids are dense and start at 0. Hosts are numbered in their sort order. The words of a rule are stored once however many
 * findings it has.
 */
export const SCHEMA = `
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${FINDINGS_VERSION};
-- "words": crc32 of all texts to search in, in the order they were written; part of what seals the file (seal.ts).
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- RuleFacts as JSON.
CREATE TABLE rule (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE rule_cve (cve TEXT NOT NULL, rule INTEGER NOT NULL, PRIMARY KEY (cve, rule)) WITHOUT ROWID;
-- Different rule_ids and solutions: what groups by rule and by solution are made of.
CREATE TABLE rule_name (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE solution (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
-- label: host, address, image or file in one spelling, '' for none. The last two are keys of host-keys.ts. Rows of one
-- label stand side by side: a name that was seen at several addresses has a row for each.
CREATE TABLE host (id INTEGER PRIMARY KEY, label TEXT NOT NULL, name TEXT, address_key TEXT);
-- Occurrence as JSON with injection_signals; in the order of the report.
CREATE TABLE body (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
-- Lower-case text to search in, many texts in one row: of rules (title, description), of bodies (search-text.ts).
-- offsets: uint32, where each text begins in bytes; the first text is that of id "first".
CREATE TABLE words (kind TEXT NOT NULL, first INTEGER NOT NULL, offsets BLOB NOT NULL, text BLOB NOT NULL,
  PRIMARY KEY (kind, first));
CREATE TABLE place (place TEXT PRIMARY KEY, status TEXT NOT NULL, reason TEXT, login TEXT) WITHOUT ROWID;
-- Addresses that a name was pinned to when the scan began.
CREATE TABLE pinned (place TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (place, address)) WITHOUT ROWID;
-- ReportScope as JSON.
CREATE TABLE scope (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
-- crc32: of the data as zlib counts it. SQLite notices a broken tree, not a changed number.
CREATE TABLE columns (name TEXT PRIMARY KEY, data BLOB NOT NULL, crc32 INTEGER NOT NULL);
`;

/**
 * Columns of findings, in the urgency order (entry i belongs to number i + 1), little-endian:
 * `rule`, `host`, `body` uint32; `port` int32 (-1: none); `print` 16 bytes each, the fingerprint.
 *
 * `renamed` uint32 and `plain` 16 bytes each, for findings that share their plain fingerprint with others of the report
 * and have one of their own in `print`: places in the columns above, ascending, and the plain fingerprint of each. Both
 * are left out where there are none.
 *
 * Columns of rules, by rule id: `severity` uint8 (0 critical .. 4 info); `flags` uint8 (`KEV`, `EXPLOIT`); `cvss` and
 * `epss` float64 (-1: none); `name` and `solution` uint32 into their tables.
 */
export const FINDING_COLUMNS = ['rule', 'host', 'body', 'port', 'print'] as const;
export const RENAMED_COLUMNS = ['renamed', 'plain'] as const;
export const RULE_COLUMNS = ['severity', 'flags', 'cvss', 'epss', 'name', 'solution'] as const;

export const KEV = 1;
export const EXPLOIT = 2;
/** No port, no score. */
export const NONE = -1;
export const PRINT_BYTES = 16;

/** What stands in `body`: the occurrence with what ingest saw in it and in the words of its rule. */
export const StoredOccurrence = Occurrence.extend({ injection_signals: z.array(z.string()) });
