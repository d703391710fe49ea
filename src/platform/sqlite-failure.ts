import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../model/errors.ts';

/** SQLite primary result codes; source: sqlite.org/rescode.html. */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
export const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** The primary result code of an error thrown by the driver; undefined for any other value. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** Whether somebody else holds the lock, also of an error that has our code already. */
export const isBusy = (error: unknown): boolean =>
  sqliteCode(error) === BUSY || (error instanceof AppError && sqliteCode(error.cause) === BUSY);

/** What a database needs beside it before anything can even be read: its shared memory. */
const LEAST_ROOM_BYTES = 64 << 10;

function isFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < LEAST_ROOM_BYTES;
  } catch {
    return false;
  }
}

const storageFull = (cause: unknown): AppError =>
  new AppError('storage_full', 'The disk of the data folder is full.', { cause });

/**
 * Adds our code to what the driver throws; anything unknown passes through as it is.
 * @param hasNoRoom Asked about the folder of the database when its files could not be opened, made or written.
 */
export function sqliteFailure(error: unknown, path: string, hasNoRoom: (folder: string) => boolean = isFull): unknown {
  switch (sqliteCode(error)) {
    case BUSY:
    case LOCKED:
      return new AppError('queue_unavailable', 'The database is locked by another process.', { cause: error });
    case FULL:
      return storageFull(error);
    case CORRUPT:
    case NOTADB:
      return new AppError('storage_unusable', `${path} is damaged or no database of scanmux.`, {
        cause: error,
        hint: 'Operator: move the file away or restore a copy; `scanmux doctor` checks it.',
      });
    case READONLY:
    case CANTOPEN:
    case IOERR:
      // On a full disk the side files of a database cannot be made, which SQLite tells as any other failure of the disk.
      if (hasNoRoom(dirname(path))) return storageFull(error);
      return new AppError('storage_unusable', `${path} cannot be opened or written.`, {
        cause: error,
        hint: 'Operator: check the owner, permissions and disk of the data folder; `scanmux doctor` checks them.',
      });
    default:
      return error;
  }
}
