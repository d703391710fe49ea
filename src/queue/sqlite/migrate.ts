import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../model/errors.ts';
import { openDatabase, type Database } from '../../platform/sqlite.ts';
import { numberOf } from './row.ts';
import { APPLICATION_ID, type Migration } from './schema.ts';

/** Opening may meet another process that is opening or migrating; each try waits inside SQLite as well. */
const TRIES = 100;
const SETUP_WAIT_MS = 1_000;
/** A commit writes every page it touched, and one submit touches nine: their size is most of what it costs. */
const PAGE_BYTES = 2_048;

const pragma = (db: Database, name: string): number => numberOf(db.prepare(`PRAGMA ${name}`).get() ?? {}, name);

export const userVersion = (db: Database): number => pragma(db, 'user_version');

export const tooNew = (path: string, found: number, known: number): AppError =>
  new AppError('data_too_new', `${path} has schema version ${found}; this scanmux knows ${known}.`);

/**
 * Opens the file with its schema brought up to date: a copy beside it (`<path>.v<version>`) first, then one
 * transaction. Newer or foreign files are only read.
 * @throws AppError data_too_new, storage_unusable, queue_unavailable
 */
export async function openMigrated(path: string, migrations: readonly Migration[]): Promise<Database> {
  for (let tries = 1; ; tries++) {
    try {
      if (versionOnDisk(path, migrations.length) < migrations.length) migrate(path, migrations);
      const db = openDatabase(path);
      db.exec('PRAGMA wal_autocheckpoint = 8000'); // 16 MB: fewer waits for the disk in long runs of small commits
      db.exec('PRAGMA cache_size = -8000'); // 8 MB: scan ids and request hashes are random, and so are the pages they are kept in
      return db;
    } catch (error) {
      // Switching a new file to WAL does not wait for the other process that is doing the same.
      if (!(error instanceof AppError) || error.code !== 'queue_unavailable' || tries === TRIES) throw error;
    }
    await delay(5 + Math.random() * 20);
  }
}

/** Looks without writing: a newer file must stay as it is, byte for byte. */
function versionOnDisk(path: string, known: number): number {
  if (statSync(path).size === 0) return 0;
  const db = openDatabase(path, { readOnly: true, blockingWaitMs: SETUP_WAIT_MS });
  try {
    const version = userVersion(db);
    if (version > known) throw tooNew(path, version, known);
    const tables = numberOf(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get() ?? {}, 'n');
    if (tables > 0 && pragma(db, 'application_id') !== APPLICATION_ID) {
      throw new AppError('storage_unusable', `${path} is a database of another program.`);
    }
    return version;
  } finally {
    db.close();
  }
}

function migrate(path: string, migrations: readonly Migration[]): void {
  const db = openDatabase(path, { blockingWaitMs: SETUP_WAIT_MS, pageBytes: PAGE_BYTES });
  try {
    const before = userVersion(db);
    if (before > 0) copyAside(db, before);
    db.writeNow(() => {
      const from = userVersion(db); // another process may have been first
      if (from > migrations.length) throw tooNew(path, from, migrations.length);
      for (const step of migrations.slice(from)) db.exec(step);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}`);
    });
  } finally {
    db.close();
  }
}

/** A whole copy or none: written under another name first. */
function copyAside(db: Database, version: number): void {
  const copy = `${db.path}.v${version}`;
  const unfinished = `${copy}.${process.pid}`;
  closeSync(openSync(unfinished, 'w', 0o600)); // SQLite fills an empty file and keeps its mode
  db.prepare('VACUUM INTO ?').run(unfinished);
  renameSync(unfinished, copy);
}
