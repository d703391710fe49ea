import { utimes } from 'node:fs/promises';
import { AppError } from '../../model/errors.ts';
import { freeBytes } from '../disk.ts';
import { makeRoom } from './cache-room.ts';

/** The rest of the folder is looked at anew when so much of its bound was added: other processes add, too. */
const LOOK_SHARE = 0.1;
/** The time of last use is exact to this. */
const TOUCH_MS = 10_000;
/** File systems write times a little later, and not to the millisecond. */
const CLOCK_MS = 50;
const MOST_TOUCHED = 10_000;

/** Who reads what of a cache in this process, and whether there is too much in it. */
export interface CacheKeeper {
  hold(path: string): void;
  /** True when nobody here reads it any more. */
  letGo(path: string): boolean;
  /** Keeps a file from being the next to go, in the eyes of every process. */
  touch(path: string): Promise<void>;
  /** Sees to it that so much fits on the disk, by removing older copies. @throws AppError storage_full */
  makeFree(bytes: number): Promise<void>;
  /** To be told of every file that is put into the folder. */
  added(path: string, bytes: number): Promise<void>;
  /** Removes what is too much, where something was added, or read, since that was last done. Never throws. */
  tidy(occasion: 'added' | 'released'): Promise<void>;
}

export interface CacheKeeperOptions {
  readonly folder: string;
  readonly maxBytes: number;
  /** Of the disk. */
  readonly reserveBytes: number;
}

export function createCacheKeeper({ folder, maxBytes, reserveBytes }: CacheKeeperOptions): CacheKeeper {
  const held = new Map<string, number>();
  const touched = new Map<string, number>();
  /** When the folder was last looked at, and what this process has put there since. */
  let bytes = Number.POSITIVE_INFINITY;
  let fresh = 0;
  let looking: Promise<void> | undefined;
  const isDue = (): boolean => bytes + fresh > maxBytes || fresh > maxBytes * LOOK_SHARE;
  const look = async (most: number): Promise<void> => {
    fresh = 0;
    if (touched.size > MOST_TOUCHED) touched.clear();
    bytes = await makeRoom(folder, most, {
      isHeld: (path) => held.has(path),
      isOurs: (path, usedAt) => usedAt <= (touched.get(path) ?? 0) + CLOCK_MS,
    });
  };
  const touch = async (path: string): Promise<void> => {
    const now = Date.now();
    if (now - (touched.get(path) ?? 0) < TOUCH_MS) return;
    touched.set(path, now);
    // Gone meanwhile: whoever reads it finds that out.
    await utimes(path, now / 1_000, now / 1_000).catch(() => undefined);
  };
  return {
    hold: (path) => void held.set(path, (held.get(path) ?? 0) + 1),
    letGo(path) {
      const readers = (held.get(path) ?? 0) - 1;
      if (readers > 0) held.set(path, readers);
      else held.delete(path);
      return readers <= 0;
    },
    touch,
    async makeFree(size) {
      const lacking = size + reserveBytes - (await freeBytes(folder));
      if (lacking <= 0) return;
      await look(Number.POSITIVE_INFINITY);
      await look(Math.max(0, bytes - lacking));
      if ((await freeBytes(folder)) < size + reserveBytes) throw noRoom();
    },
    async added(path, size) {
      fresh += size;
      touched.delete(path);
      await touch(path);
    },
    async tidy(occasion) {
      // What is too much while it is read is looked at again when it is let go, not with every question.
      if (occasion === 'added' && fresh === 0 && bytes !== Number.POSITIVE_INFINITY) return;
      while (looking) await looking;
      if (!isDue()) return;
      // A folder that cannot be looked at is for its next user to complain of.
      looking = look(maxBytes).catch(() => undefined);
      await looking;
      looking = undefined;
    },
  };
}

const noRoom = (): AppError =>
  new AppError('storage_full', 'The disk of the data folder has no room for a copy of what was asked for.', {
    hint: 'Operator: free disk space, or lower artefacts.cache_mb. Nothing that was accepted is lost.',
  });
