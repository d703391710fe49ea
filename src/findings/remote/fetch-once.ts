import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../model/errors.ts';
import { diskFailure, makeFolder } from '../disk.ts';
import { atMost } from './at-most.ts';
import type { CacheKeeper } from './cache-keeper.ts';
import type { CachedFile } from './cache-place.ts';
import { UNFINISHED } from './cache-room.ts';
import type { Objects } from './objects.ts';
import { isThere, moveInto } from './move-into.ts';

const FETCHES_AT_ONCE = 4;
/** A question over many files must not wait for each of them while the store is away. */
const AWAY_MS = 3_000;

export interface FetchOnceDeps {
  readonly folder: string;
  readonly objects: Pick<Objects, 'fetch'>;
  readonly keeper: CacheKeeper;
}

/**
 * Sees to it that a file is there. Any number of callers wait for one fetch; while a store is away they are told so at
 * once for a moment.
 */
export function createFetchOnce({ folder, objects, keeper }: FetchOnceDeps): (wanted: CachedFile) => Promise<void> {
  const fetching = new Map<string, Promise<void>>();
  const turn = atMost(FETCHES_AT_ONCE);
  let away: { readonly until: number; readonly error: unknown } | undefined;
  const fetchFile = async ({ path, key, file }: CachedFile): Promise<void> => {
    if (away && performance.now() < away.until) throw away.error;
    const temporary = join(folder, `${UNFINISHED}${randomBytes(8).toString('hex')}`);
    try {
      await makeFolder(folder);
      await keeper.makeFree(file.bytes);
      await objects.fetch(key, temporary, file);
      await moveInto(temporary, path);
      await keeper.added(path, file.bytes);
    } catch (error) {
      await rm(temporary, { force: true });
      const isAway = error instanceof AppError && error.code === 'storage_unavailable';
      if (isAway) away = { until: performance.now() + AWAY_MS, error };
      throw diskFailure(error, folder);
    }
  };
  return async (wanted) => {
    const { path } = wanted;
    const known = fetching.get(path);
    if (known) return known;
    if (await isThere(path)) return keeper.touch(path);
    const started = fetching.get(path) ?? turn(() => fetchFile(wanted));
    fetching.set(path, started);
    return started.finally(() => fetching.delete(path));
  };
}
