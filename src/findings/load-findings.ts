import { statSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { AppError } from '../model/errors.ts';
import { openDatabase } from '../platform/sqlite.ts';
import type { Database } from '../platform/sqlite.ts';
import { APPLICATION_ID, EXPLOIT, FINDINGS_VERSION, KEV, NONE, PRINT_BYTES } from './layout.ts';
import type { OpenFindings, RenamedFindings, RuleColumns } from './open-findings.ts';
import { damaged, notHere, readFailure, reading } from './reading.ts';
import { checkSeal } from './seal.ts';

const Count = z.coerce.number().int().min(0);
const Meta = z.object({
  engine: z.string(),
  scan_id: z.string(),
  epoch: z.string(),
  findings: Count,
  withdrawn: Count,
});

/** Columns are in memory and words are read in passing; what SQLite keeps is the inner pages of its trees. */
const READ_CACHE_KIB = 4_096;

/** Numbers of 4 or 8 bytes in a typed array. */
type Numbers = Uint32Array | Int32Array | Float64Array;

/**
 * Opens a findings file and loads its columns. Lengths, ids and scores are checked here once, so that whoever goes
 * through them need not.
 * @throws AppError storage_unusable when it is missing, damaged, of an older form or something else; data_too_new
 */
export function loadFindings(path: string): OpenFindings {
  const db = open(path);
  try {
    return reading(path, () => load(path, db));
  } catch (error) {
    db.close();
    throw error;
  }
}

/** False also when it cannot be said, as in a folder that may not be read: then the driver's own words stay. */
function isGone(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

function open(path: string): Database {
  try {
    return openDatabase(path, { readOnly: true, immutable: true, journal: 'keep', schema: 'file' });
  } catch (error) {
    throw isGone(path) ? notHere(error) : readFailure(path, error);
  }
}

function load(path: string, db: Database): OpenFindings {
  db.exec(`PRAGMA file.cache_size = -${READ_CACHE_KIB}`);
  checkVersion(path, db);
  const rows = db.prepare('SELECT key, value FROM meta').all();
  const meta = Meta.parse(Object.fromEntries(rows.map(({ key, value }) => [key, value])));
  checkSeal(path, { scanId: meta.scan_id, epoch: meta.epoch }, db);
  const count = meta.findings;
  const columns = createColumnReader(path, db);
  const rules = loadRules(columns, count);
  let prints: Uint8Array | undefined;
  let renamed: RenamedFindings | undefined;
  return {
    path,
    db,
    engine: meta.engine,
    scanId: meta.scan_id,
    count,
    withdrawn: meta.withdrawn,
    rule: columns.ids('rule', count, rules.count),
    host: columns.ids('host', count, columns.rowsOf('host', count)),
    body: columns.ids('body', count, columns.rowsOf('body', count)),
    port: columns.numbers('port', count, Int32Array, (port) => port >= NONE && port <= 65_535),
    prints: () => (prints ??= reading(path, () => columns.bytes('print', count * PRINT_BYTES))),
    renamed: () => (renamed ??= reading(path, () => loadRenamed(columns, count))),
    rules,
  };
}

function checkVersion(path: string, db: Database): void {
  const version = Number(db.prepare('PRAGMA file.user_version').get()?.['user_version']);
  const application = Number(db.prepare('PRAGMA file.application_id').get()?.['application_id']);
  if (application !== APPLICATION_ID) throw damaged(path);
  if (version > FINDINGS_VERSION) {
    throw new AppError('data_too_new', `${path} has version ${version}; this scanmux knows ${FINDINGS_VERSION}.`);
  }
  if (version < FINDINGS_VERSION) {
    throw new AppError('storage_unusable', `${path} was written by a scanmux before the first release.`, {
      hint: 'Run the scan again, or import its raw report.',
    });
  }
}

/** A rule is only stored with a finding of it. */
function loadRules(columns: ColumnReader, findings: number): RuleColumns {
  const count = columns.rowsOf('rule', findings);
  const isScore = (most: number) => (score: number) => score === NONE || (score >= 0 && score <= most);
  return {
    count,
    severity: columns.small('severity', count, 4),
    flags: columns.small('flags', count, KEV | EXPLOIT),
    cvss: columns.numbers('cvss', count, Float64Array, isScore(10)),
    epss: columns.numbers('epss', count, Float64Array, isScore(1)),
    name: columns.ids('name', count, columns.rowsOf('rule_name', count)),
    solution: columns.ids('solution', count, columns.rowsOf('solution', count)),
  };
}

function loadRenamed(columns: ColumnReader, count: number): RenamedFindings {
  const length = columns.lengthOf('renamed');
  if (length === 0) return { at: new Uint32Array(), plain: new Uint8Array() };
  const rows = Math.floor(length / Uint32Array.BYTES_PER_ELEMENT);
  return { at: columns.ids('renamed', rows, count), plain: columns.bytes('plain', rows * PRINT_BYTES) };
}

interface ColumnReader {
  /** How many rows a table with dense ids has; a file with more than `most` is damaged. */
  rowsOf(table: 'rule' | 'host' | 'body' | 'rule_name' | 'solution', most: number): number;
  bytes(name: string, length: number): Uint8Array;
  /** In bytes; 0 for a column that was left out. */
  lengthOf(name: string): number;
  small(name: string, count: number, most: number): Uint8Array;
  ids(name: string, count: number, rows: number): Uint32Array;
  numbers<T extends Numbers>(
    name: string,
    count: number,
    Type: { new (buffer: ArrayBufferLike, offset: number, length: number): T; readonly BYTES_PER_ELEMENT: number },
    fits: (value: number) => boolean,
  ): T;
}

function createColumnReader(path: string, db: Database): ColumnReader {
  const bytes: ColumnReader['bytes'] = (name, length) => {
    const row = db.prepare('SELECT data, crc32 FROM columns WHERE name = ?').get(name);
    const data = row?.['data'];
    // An empty blob comes back as such, or as null.
    const found = data === null ? new Uint8Array() : data;
    if (!(found instanceof Uint8Array) || found.length !== length) throw damaged(path);
    if (crc32(found) !== row?.['crc32']) throw damaged(path);
    return found;
  };
  const numbers: ColumnReader['numbers'] = (name, count, Type, fits) => {
    const size = Type.BYTES_PER_ELEMENT;
    const data = bytes(name, count * size);
    const aligned = data.byteOffset % size === 0 ? data : data.slice();
    const values = new Type(aligned.buffer, aligned.byteOffset, count);
    for (let index = 0; index < count; index += 1) if (!fits(values[index] ?? Number.NaN)) throw damaged(path);
    return values;
  };
  return {
    bytes,
    numbers,
    lengthOf: (name) =>
      Number(db.prepare('SELECT length(data) AS n FROM columns WHERE name = ?').get(name)?.['n'] ?? 0),
    rowsOf(table, most) {
      const rows = Number(db.prepare(`SELECT coalesce(max(id), -1) + 1 AS n FROM ${table}`).get()?.['n']);
      if (!(rows >= 0 && rows <= most)) throw damaged(path);
      return rows;
    },
    small(name, count, most) {
      const values = bytes(name, count);
      for (const value of values) if (value > most) throw damaged(path);
      return values;
    },
    ids: (name, count, rows) => numbers(name, count, Uint32Array, (id) => id < rows),
  };
}
