import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../model/errors.ts';
import { openDatabase, type Database } from '../platform/sqlite.ts';
import { GENESIS } from './entry.ts';
import { readHead, writeHead } from './head.ts';

const SCHEMA_VERSION = 1;

/**
 * The triggers stop mistakes and simple tampering; whoever may write the file can drop them, which is what the chain is
 * for. REPLACE deletes without asking a delete trigger, so inserts only go to the end.
 */
const CREATE = `
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  action TEXT NOT NULL,
  decision TEXT NOT NULL,
  scan_id TEXT,
  trace_id TEXT,
  targets TEXT NOT NULL,
  detail TEXT NOT NULL,
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER entries_only_at_end BEFORE INSERT ON entries
WHEN NEW.seq <= (SELECT coalesce(max(seq), 0) FROM entries)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
PRAGMA user_version = ${SCHEMA_VERSION};
`;

export const headPath = (folder: string): string => join(folder, 'audit.head');

/** Looks without writing: closing a connection that may write would fold a newer program's WAL into its file. */
function refuseNewer(path: string): void {
  if (statSync(path).size === 0) return;
  const db = openDatabase(path, { readOnly: true, blockingWaitMs: 1_000 });
  try {
    if (versionOf(db) > SCHEMA_VERSION) throw tooNew(path);
  } finally {
    db.close();
  }
}

/**
 * Opens or makes the log's database, 0600 in a folder 0700. A file of a newer program is not touched.
 * @throws AppError data_too_new, storage_unusable, storage_full, queue_unavailable
 */
export async function openAuditDatabase(folder: string): Promise<Database> {
  const path = join(folder, 'audit.db');
  makeFile(folder, path);
  refuseNewer(path);
  const db = openDatabase(path, { journal: 'keep' });
  try {
    if (versionOf(db) > SCHEMA_VERSION) throw tooNew(path);
    await useWal(db);
    await db.write(() => {
      const version = versionOf(db);
      if (version > SCHEMA_VERSION) throw tooNew(path);
      if (version === SCHEMA_VERSION) return;
      db.exec(CREATE);
      // From the start, so that a log without its head is always somebody's doing. One that is there is evidence.
      if (readHead(headPath(folder)) === undefined) writeHead(headPath(folder), { seq: 0, hash: GENESIS });
    });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

const tooNew = (path: string): AppError => new AppError('data_too_new', `${path} was written by a newer scanmux.`);

const versionOf = (db: Database): number => Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);

/** SQLite makes files by the umask; its -wal and -shm copy the mode of this one. */
function makeFile(folder: string, path: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
  } catch (cause) {
    const isFull = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
    const hint = 'Operator: check the owner and permissions of the data folder; `scanmux doctor` checks them.';
    throw new AppError(isFull ? 'storage_full' : 'storage_unusable', `${path} cannot be opened for writing.`, {
      cause,
      ...(isFull ? {} : { hint }),
    });
  }
}

const WAL_ATTEMPTS = 500;

/** Several processes may turn a new file to WAL at once, and SQLite then says busy without waiting. */
async function useWal(db: Database): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      db.exec('PRAGMA journal_mode = wal');
      return;
    } catch (error) {
      const isBusy = error instanceof AppError && error.code === 'queue_unavailable';
      if (!isBusy || attempt === WAL_ATTEMPTS) throw error;
    }
    await delay(1 + Math.random() * 10);
  }
}
