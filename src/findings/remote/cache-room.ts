import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing } from '../disk.ts';

/** Files being fetched lie in the folder itself until they are whole. */
export const UNFINISHED = '.fetching-';
/** What an unfinished one that is older belonged to has ended. */
const UNFINISHED_MS = 24 * 3_600_000;

interface Kept {
  readonly path: string;
  readonly bytes: number;
  /** Epoch milliseconds. */
  readonly usedAt: number;
}

/** Every file of the cache, as far as it is still there when it is looked at. */
async function filesIn(folder: string): Promise<Kept[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const kept: Kept[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const facts = await stat(path).catch(() => undefined);
    if (facts) kept.push({ path, bytes: facts.size, usedAt: facts.mtimeMs });
  }
  return kept;
}

/**
 * What was used so recently may be about to be opened by another process. Twice the exactness of the time of last use,
 * and a wait for a busy reader.
 */
const FRESH_MS = 30_000;

/** What the process that makes room knows of its own readers. */
export interface Readers {
  /** Stays, whatever its age. */
  isHeld(path: string): boolean;
  /** Nobody else has used it since (epoch milliseconds). */
  isOurs(path: string, usedAt: number): boolean;
}

/**
 * Removes the files that were not used for longest until the rest has at most `maxBytes`. Other processes may use, add
 * and remove meanwhile. Returns the bytes that are left.
 */
export async function makeRoom(folder: string, maxBytes: number, readers: Readers): Promise<number> {
  const kept = await filesIn(folder);
  let bytes = kept.reduce((sum, file) => sum + file.bytes, 0);
  for (const file of kept.toSorted((a, b) => a.usedAt - b.usedAt)) {
    const isUnfinished = file.path.startsWith(join(folder, UNFINISHED));
    const isLeftover = isUnfinished && Date.now() - file.usedAt > UNFINISHED_MS;
    const isTooMuch = bytes > maxBytes && !isUnfinished && mayGo(file, readers);
    if (!isLeftover && !isTooMuch) continue;
    // Windows removes nothing that is open: the next round does.
    const isGone = await rm(file.path, { force: true }).then(
      () => true,
      () => false,
    );
    if (!isGone) continue;
    bytes -= file.bytes;
    await removeEmpty(dirname(file.path), folder);
  }
  return bytes;
}

function mayGo({ path, usedAt }: Kept, readers: Readers): boolean {
  if (readers.isHeld(path)) return false;
  return readers.isOurs(path, usedAt) || Date.now() - usedAt > FRESH_MS;
}

/** Removes a folder and those above it, below `top`, as far as they are empty. */
async function removeEmpty(folder: string, top: string): Promise<void> {
  if (folder === top) return;
  const isGone = await rmdir(folder).then(
    () => true,
    () => false,
  );
  if (isGone) await removeEmpty(dirname(folder), top);
}
