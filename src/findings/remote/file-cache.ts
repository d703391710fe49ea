import { rm } from 'node:fs/promises';
import { AppError } from '../../model/errors.ts';
import type { Artefact } from '../../model/scan.ts';
import type { WhilePresent } from '../artefacts.ts';
import { diskFailure, isInUse, sha256Of } from '../disk.ts';
import { createCacheKeeper } from './cache-keeper.ts';
import { cachedAt, cachePath, type CachedFile } from './cache-place.ts';
import { createFetchOnce } from './fetch-once.ts';
import { moveInto } from './move-into.ts';
import type { Objects } from './objects.ts';

/** Copies of stored files on this machine; any number of processes share one folder. */
export interface FileCache {
  /** Where the copy of an artefact is, or will be. @throws AppError storage_unusable */
  pathOf(scanId: string, artefact: Artefact): string;
  /** Moves a file into the cache, whose object has just been stored. Where the system does not move open files it stays. */
  adopt(path: string, scanId: string, artefact: Artefact): Promise<void>;
  readonly whilePresent: WhilePresent;
}

export interface FileCacheOptions {
  readonly folder: string;
  readonly objects: Pick<Objects, 'fetch'>;
  /** Of all copies together; what is being read stays in any case, and goes after that. */
  readonly maxBytes: number;
  /** Of the disk, left free for whoever cannot do without, e.g. the queue. */
  readonly reserveBytes: number;
}

/** A file that vanished or broke under a reader is fetched again so often. */
const READ_TRIES = 3;

export function createFileCache({ folder, objects, maxBytes, reserveBytes }: FileCacheOptions): FileCache {
  const keeper = createCacheKeeper({ folder, maxBytes, reserveBytes });
  const ensure = createFetchOnce({ folder, objects, keeper });
  const read = async <T>(wanted: readonly CachedFile[], body: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      const fetched = await Promise.allSettled(wanted.map(ensure));
      const failed = fetched.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
      await keeper.tidy('added');
      try {
        return await body();
      } catch (error) {
        if (tries === READ_TRIES || !isUnusable(error) || !(await dropDamaged(wanted))) throw error;
      }
    }
  };
  return {
    pathOf: (scanId, artefact) => cachePath(folder, scanId, artefact),
    async adopt(path, scanId, artefact) {
      const to = cachePath(folder, scanId, artefact);
      try {
        await moveInto(path, to);
      } catch (error) {
        if (isInUse(error)) return;
        throw diskFailure(error, folder);
      }
      await keeper.added(to, artefact.bytes);
      await keeper.tidy('added');
    },
    async whilePresent(paths, body) {
      const wanted = [...new Set(paths)].flatMap((path) => cachedAt(folder, path) ?? []);
      if (wanted.length === 0) return body();
      for (const { path } of wanted) keeper.hold(path);
      try {
        return await read(wanted, body);
      } finally {
        if (wanted.map(({ path }) => keeper.letGo(path)).includes(true)) await keeper.tidy('released');
      }
    },
  };
}

const isUnusable = (error: unknown): boolean => error instanceof AppError && error.code === 'storage_unusable';

/** Removes copies that are not what they should be, and says whether there were any, or any was gone. */
async function dropDamaged(wanted: readonly CachedFile[]): Promise<boolean> {
  let isAny = false;
  for (const { path, file } of wanted) {
    const found = await sha256Of(path).catch(() => undefined);
    if (found === file.sha256) continue;
    isAny = true;
    await rm(path, { force: true });
  }
  return isAny;
}
