import { constants } from 'node:fs';
import { open, readlink, realpath, stat, type FileHandle } from 'node:fs/promises';
import { basename, isAbsolute, relative, resolve, sep } from 'node:path';
import { AppError } from '../model/errors.ts';

/** A regular file, open for reading. Whoever asked for it closes the handle. */
export interface OpenedFile {
  readonly handle: FileHandle;
  readonly bytes: number;
  /** Last part of its path. */
  readonly name: string;
}

/**
 * Opens a file that really lies in one of the folders, whatever links lead to it. All that is said of it holds for the
 * open file, so nothing can be put in its place afterwards.
 * @param path Absolute, or relative to any of the folders; the first that has it counts.
 * @throws AppError forbidden for a path that leads outside, invalid_request when there is no such file
 */
export async function openContained(path: string, folders: readonly string[]): Promise<OpenedFile> {
  const real = (await Promise.all(folders.map(realOf))).filter((folder) => folder !== undefined);
  const allowed = [...folders.map((folder) => resolve(folder)), ...real];
  const named = isAbsolute(path) ? [resolve(path)] : folders.map((folder) => resolve(folder, path));
  // Asked before the disk is: outside of the folders nothing tells what is there.
  const inside = named.filter((file) => isInAny(file, allowed));
  if (inside.length === 0) throw outside(folders);
  for (const file of inside) {
    const found = await realOf(file);
    if (found === undefined) continue;
    if (!isInAny(found, real)) throw outside(folders);
    return await openExactly(found);
  }
  throw new AppError('invalid_request', 'path: there is no such file in the import folders.');
}

/** Opens any regular file, for a person who could read it anyway. @throws AppError invalid_request */
export async function openRegularFile(path: string): Promise<OpenedFile> {
  const found = await realOf(resolve(path));
  if (found === undefined) throw new AppError('invalid_request', `There is no file ${path}.`);
  return openExactly(found);
}

const outside = (folders: readonly string[]): AppError =>
  new AppError('forbidden', `path: it leads outside the import folders (${folders.slice(0, 3).join(', ')}).`, {
    hint: 'Name a file in one of them, or operator: add its folder to import_folders in scanmux.yaml. Do not retry.',
  });

const isIn = (file: string, folder: string): boolean => {
  const way = relative(folder, file);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
};
const isInAny = (file: string, folders: readonly string[]): boolean => folders.some((folder) => isIn(file, folder));

const realOf = (path: string): Promise<string | undefined> => realpath(path).catch(() => undefined);

/** Windows knows neither. Without waiting, so that a pipe that nobody writes to cannot hold the call. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** @param path Real: without links. */
async function openExactly(path: string): Promise<OpenedFile> {
  // Looked at before it is opened as well: opening a device may already do something.
  if (!(await stat(path).catch(() => undefined))?.isFile()) throw notAFile();
  const handle = await open(path, FLAGS).catch((error: unknown) => {
    throw new AppError('invalid_request', 'path: the file cannot be read by the user that scanmux runs as.', {
      cause: error,
    });
  });
  try {
    const opened = await handle.stat();
    if (!opened.isFile() || !(await isAt(handle, path))) throw notAFile();
    return { handle, bytes: opened.size, name: basename(path) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Whether the open file is the one at this real path: a folder on the way may have become a link before it was opened. */
async function isAt(handle: FileHandle, path: string): Promise<boolean> {
  // The kernel's own word (proc(5)); where there is none, only what the path leads to now can be compared.
  if (process.platform === 'linux') return (await readlink(`/proc/self/fd/${handle.fd}`).catch(() => '')) === path;
  const before = await realOf(path);
  const [opened, now] = [await handle.stat(), await stat(path).catch(() => undefined)];
  return before === path && (await realOf(path)) === path && now?.dev === opened.dev && now.ino === opened.ino;
}

const notAFile = (): AppError =>
  new AppError('invalid_request', 'path: it is no regular file, or was changed just now.');
