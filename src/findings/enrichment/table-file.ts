import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../../model/errors.ts';
import { openDatabase, type Database, type Row } from '../../platform/sqlite.ts';
import { discard, diskFailure, flush, flushFolder, makePrivateFile } from '../disk.ts';
import type { EpssTable } from './epss-file.ts';
import type { KevTable } from './kev-file.ts';

/** Everything the table holds. */
export interface Tables {
  readonly epss?: EpssTable;
  readonly kev?: KevTable;
}

const FILE = 'enrichment.db';
export const tablePath = (dataFolder: string): string => join(dataFolder, FILE);

/** `application_id`: "smxE". */
const APPLICATION_ID = 0x73_6d_78_45;
/** `user_version`. A higher one was written by a newer scanmux. */
const TABLE_VERSION = 1;

/**
 * Read whole, into arrays, whenever it was replaced: no process holds it open, so that it can be replaced everywhere.
 * `facts` is JSON; `keys` and `scores` are float64, little-endian, `keys` sorted.
 */
const SCHEMA = `
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${TABLE_VERSION};
CREATE TABLE source (name TEXT PRIMARY KEY, facts TEXT NOT NULL, keys BLOB NOT NULL, scores BLOB) WITHOUT ROWID;
`;

/**
 * Writes the table beside the one in force, then puts it in its place.
 * @throws AppError storage_full, storage_unusable
 */
export async function writeTables(dataFolder: string, { epss, kev }: Tables): Promise<void> {
  const temporary = join(dataFolder, `.enrichment-${randomBytes(6).toString('hex')}.tmp`);
  try {
    await removeLeftovers(dataFolder);
    makePrivateFile(temporary);
    const db = openDatabase(temporary, { journal: 'off', synchronous: 'off' });
    try {
      db.exec(SCHEMA);
      const insert = db.prepare('INSERT INTO source VALUES (?, ?, ?, ?)');
      if (epss) insert.run('epss', JSON.stringify(epss.facts), bytesOf(epss.keys), bytesOf(epss.scores));
      if (kev) insert.run('kev', JSON.stringify(kev.facts), bytesOf(kev.keys), null);
    } finally {
      db.close();
    }
    await flush(temporary, 'r+');
    await rename(temporary, tablePath(dataFolder));
    await flushFolder(dataFolder);
  } catch (error) {
    throw diskFailure(error, dataFolder);
  } finally {
    await discard([temporary]);
  }
}

const LEFTOVER = /^\.enrichment-[0-9a-f]{12}\.tmp$/;
/** No update takes this long. */
const LEFTOVER_MS = 3_600_000;

/** What updates left that were killed before their table was in its place. */
async function removeLeftovers(dataFolder: string): Promise<void> {
  for (const name of await readdir(dataFolder)) {
    if (!LEFTOVER.test(name)) continue;
    const path = join(dataFolder, name);
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > LEFTOVER_MS) await discard([path]);
  }
}

const EpssRow = z.strictObject({ date: z.string(), model: z.string(), scores: z.int() });
const KevRow = z.strictObject({ version: z.string(), date: z.string(), vulnerabilities: z.int() });

/** @throws AppError storage_unusable, data_too_new */
export function readTables(path: string): Tables {
  const db = openDatabase(path, { readOnly: true, journal: 'keep', schema: 'enrichment' });
  try {
    checkVersion(db, path);
    const rows = new Map(
      db
        .prepare('SELECT * FROM enrichment.source')
        .all()
        .map((row) => [row['name'], row]),
    );
    const [epss, kev] = [rows.get('epss'), rows.get('kev')];
    return {
      ...(epss && {
        epss: { facts: EpssRow.parse(jsonIn(epss)), keys: numbers(epss, 'keys'), scores: numbers(epss, 'scores') },
      }),
      ...(kev && { kev: { facts: KevRow.parse(jsonIn(kev)), keys: numbers(kev, 'keys') } }),
    };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('storage_unusable', `${path} is damaged.`, { cause: error });
  } finally {
    db.close();
  }
}

function checkVersion(db: Database, path: string): void {
  const id = db.prepare('PRAGMA enrichment.application_id').get()?.['application_id'];
  const version = Number(db.prepare('PRAGMA enrichment.user_version').get()?.['user_version']);
  if (id !== APPLICATION_ID) throw new AppError('storage_unusable', `${path} is no table of scanmux.`);
  if (version > TABLE_VERSION) throw new AppError('data_too_new', `${path} was written by a newer scanmux.`);
}

const jsonIn = (row: Row): unknown => JSON.parse(String(row['facts']));

const bytesOf = (values: Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

function numbers(row: Row, column: string): Float64Array {
  const bytes = row[column];
  if (!(bytes instanceof Uint8Array) || bytes.byteLength % 8 !== 0)
    throw new TypeError('a column is no list of numbers');
  // Copied: a blob may begin anywhere in its buffer.
  return new Float64Array(Uint8Array.from(bytes).buffer);
}
