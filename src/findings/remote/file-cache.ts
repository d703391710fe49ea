import { randomBytes } from 'node:crypto';
import { access, mkdir, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../../model/errors.ts';
import type { Artefact } from '../../model/scan.ts';
import { diskFailure, isInUse, isMissing, makeFolder, sha256Of } from '../disk.ts';
import type { WhilePresent } from '../artefacts.ts';
import { cachedAt, cachePath, type CachedFile } from './cache-place.ts';
import { makeRoom, UNFINISHED } from './cache-room.ts';
import { atMost } from './at-most.ts';
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
}

const FETCHES_AT_ONCE = 4;
/** The rest of the folder is looked at anew when so much of its bound was added: other processes add, too. */
const LOOK_SHARE = 0.1;
/** A file that vanished or broke under a reader is fetched again so often. */
const READ_TRIES = 3;
/** A question over many files must not wait for each of them while the store is away. */
const AWAY_MS = 3_000;
/** The time of last use is exact to this. */
const TOUCH_MS = 10_000;

/** File systems write times a little later, and not to the millisecond. */
const CLOCK_MS = 50;

/** What one process knows of the folder. */
interface State {
  /** Readers of each path. */
  readonly held: Map<string, number>;
  readonly fetching: Map<string, Promise<void>>;
  readonly touched: Map<string, number>;
  /** Bytes when the folder was last looked at, and what this process has added since. */
  bytes: number;
  added: number;
  looking: Promise<void> | undefined;
  /** Until when (monotonic milliseconds) the store counts as away, and what it said. */
  awayUntil: number;
  away: unknown;
}

export function createFileCache({ folder, objects, maxBytes }: FileCacheOptions): FileCache {
  const state: State = {
    held: new Map(),
    fetching: new Map(),
    touched: new Map(),
    bytes: Number.POSITIVE_INFINITY,
    added: 0,
    looking: undefined,
    awayUntil: 0,
    away: undefined,
  };
  const fetchTurn = atMost(FETCHES_AT_ONCE);
  const isDue = (): boolean => state.bytes + state.added > maxBytes || state.added > maxBytes * LOOK_SHARE;
  const look = async (): Promise<void> => {
    state.added = 0;
    state.bytes = await makeRoom(folder, maxBytes, {
      isHeld: (path) => state.held.has(path) || state.fetching.has(path),
      isOurs: (path, usedAt) => usedAt <= (state.touched.get(path) ?? 0) + CLOCK_MS,
    });
    if (state.touched.size > 10_000) state.touched.clear();
  };
  const tidy = async (): Promise<void> => {
    while (state.looking) await state.looking;
    if (!isDue()) return;
    state.looking = look().finally(() => {
      state.looking = undefined;
    });
    await state.looking;
  };

  const fetchFile = async ({ path, key, file }: CachedFile): Promise<void> => {
    if (performance.now() < state.awayUntil) throw state.away;
    const temporary = join(folder, `${UNFINISHED}${randomBytes(8).toString('hex')}`);
    try {
      await makeFolder(folder);
      await objects.fetch(key, temporary, file);
      await place(temporary, path);
      state.touched.delete(path);
      await touch(state, path);
    } catch (error) {
      await rm(temporary, { force: true });
      noteAway(state, error);
      throw diskFailure(error, folder);
    }
    state.added += file.bytes;
  };
  /** Any number of readers wait for one fetch. */
  const ensure = async (wanted: CachedFile): Promise<void> => {
    const { path } = wanted;
    const known = state.fetching.get(path);
    if (known) return known;
    if (await isThere(path)) return touch(state, path);
    const started = state.fetching.get(path) ?? fetchTurn(() => fetchFile(wanted));
    state.fetching.set(path, started);
    return started.finally(() => state.fetching.delete(path));
  };
  const readAgain = async <T>(wanted: readonly CachedFile[], body: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries += 1) {
      const fetched = await Promise.allSettled(wanted.map(ensure));
      const failed = fetched.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
      if (state.added > 0 || state.bytes === Number.POSITIVE_INFINITY) await tidy();
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
      try {
        const to = cachePath(folder, scanId, artefact);
        await place(path, to);
        state.touched.delete(to);
        await touch(state, to);
      } catch (error) {
        if (isInUse(error)) return;
        throw diskFailure(error, folder);
      }
      state.added += artefact.bytes;
      await tidy();
    },
    async whilePresent(paths, body) {
      const wanted = [...new Set(paths)].flatMap((path) => cachedAt(folder, path) ?? []);
      if (wanted.length === 0) return body();
      for (const { path } of wanted) state.held.set(path, (state.held.get(path) ?? 0) + 1);
      try {
        return await readAgain(wanted, body);
      } finally {
        const isAnyFree = wanted.map(({ path }) => letGo(state.held, path)).includes(true);
        // What is too much while others read it is looked at again when they are done, not before.
        if (isAnyFree && isDue()) await tidy();
      }
    },
  };
}

function noteAway(state: State, error: unknown): void {
  if (!(error instanceof AppError) || error.code !== 'storage_unavailable') return;
  state.awayUntil = performance.now() + AWAY_MS;
  state.away = error;
}

/** True when nobody reads it any more. */
function letGo(held: Map<string, number>, path: string): boolean {
  const readers = (held.get(path) ?? 0) - 1;
  if (readers > 0) held.set(path, readers);
  else held.delete(path);
  return readers <= 0;
}

const isUnusable = (error: unknown): boolean => error instanceof AppError && error.code === 'storage_unusable';

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Keeps the file from being the next to go, in the eyes of every process. */
async function touch({ touched }: State, path: string): Promise<void> {
  const now = Date.now();
  if (now - (touched.get(path) ?? 0) < TOUCH_MS) return;
  touched.set(path, now);
  // Gone meanwhile: whoever reads it finds that out.
  await utimes(path, now / 1_000, now / 1_000).catch(() => undefined);
}

/** Another process may remove a folder that is empty between its being made and its being used. */
async function place(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    try {
      await rename(from, to);
      return;
    } catch (error) {
      if (tries === 5 || !isMissing(error) || !(await isThere(from))) throw error;
    }
  }
}

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
