import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { access, chmod, mkdir, open, rename, rm, stat, statfs, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../model/errors.ts';
import type { Artefact } from '../model/scan.ts';
import { sealedName } from './seal.ts';

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** There is no such file or folder. */
export const isMissing = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';

/** Windows neither moves nor removes what is open. */
export const isInUse = (error: unknown): boolean =>
  process.platform === 'win32' && ['EBUSY', 'EPERM', 'EACCES'].includes(String(codeOf(error)));

/** Gives failures of the file system our code; anything else passes through as it is. */
export function diskFailure(error: unknown, folder: string): unknown {
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new AppError('storage_full', 'The disk of the data folder is full.', { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'EIO':
      return new AppError('storage_unusable', `${folder} cannot be written.`, { cause: error });
    default:
      return error;
  }
}

export const makeFolder = async (folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
};

/** Bytes on the disk of a folder that this user may still fill. */
export type FreeBytes = (folder: string) => Promise<number>;

export const freeBytes: FreeBytes = async (folder) => {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
};

/** An empty file only its owner can read, before SQLite would make one that everybody can. */
export const makePrivateFile = (path: string): void => closeSync(openSync(path, 'wx', 0o600));

const HASHED_BYTES = 512 << 10;

/** In two buffers by turns: the disk fills one while the other is hashed, and a large file leaves no garbage. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  const handle = await open(path, 'r');
  try {
    let [filled, spare] = [Buffer.allocUnsafeSlow(HASHED_BYTES), Buffer.allocUnsafeSlow(HASHED_BYTES)];
    let { bytesRead } = await handle.read(filled, 0, HASHED_BYTES);
    while (bytesRead > 0) {
      const reading = handle.read(spare, 0, HASHED_BYTES);
      hash.update(filled.subarray(0, bytesRead));
      ({ bytesRead } = await reading);
      [filled, spare] = [spare, filled];
    }
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

/** Makes what was written to a file durable. */
export async function flush(path: string, flags: 'r' | 'r+'): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a name in a folder durable. Windows cannot open a folder; its rename is durable enough without. */
export async function flushFolder(folder: string): Promise<void> {
  if (process.platform !== 'win32') await flush(folder, 'r');
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * Makes a finished findings file durable and gives it the name of its content, beside where it is. An equal file that is there
 * already is kept; it is never written over.
 * @throws AppError storage_unusable when that name holds something else
 */
export async function publish(temporary: string, seal: string): Promise<Artefact> {
  // The disk works while the content is read: neither changes the file.
  const [sha256] = await Promise.all([sha256Of(temporary), flush(temporary, 'r+')]);
  const path = sealedName(sha256, seal);
  const final = join(dirname(temporary), path);
  const { size: bytes } = await stat(temporary);
  if (await exists(final)) {
    if ((await sha256Of(final)) !== sha256)
      throw new AppError('storage_unusable', `${final} was changed after it was written.`);
    await rm(temporary);
  } else {
    await chmod(temporary, 0o600);
    await rename(temporary, final);
    await flushFolder(dirname(final));
  }
  return { kind: 'findings', path, bytes, sha256 };
}

/**
 * Removes temporary files with whatever SQLite put beside them. One that cannot be removed must not hide why the ingest
 * failed; nothing refers to it, so it is swept with other unreferenced files.
 */
export async function discard(paths: readonly string[]): Promise<void> {
  const all = paths.flatMap((path) => [path, `${path}-journal`, `${path}-wal`, `${path}-shm`]);
  await Promise.allSettled(
    all.map(async (path) => {
      // The driver may hold the file open a while longer; emptied, it takes no room meanwhile.
      await truncate(path).catch(() => undefined);
      await rm(path, { force: true });
    }),
  );
}
