import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, stat, utimes, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../model/errors.ts';
import { diskFailure, discard, freeBytes, makeFolder, type FreeBytes } from '../disk.ts';
import { createTurns } from '../turns.ts';
import { createRoom, type Room } from './room.ts';

/** Bytes that are written at once. */
const BLOCK = 256 << 10;

export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface FileTarget {
  readonly folder: string;
  /** Says what is in the file: two files of one name hold the same. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Bytes of the disk that are left to others. */
  readonly keepFree?: number;
  /** How many bytes the file will have at least. */
  readonly leastBytes?: number;
  readonly free?: FreeBytes;
}

const sumPath = (path: string): string => `${path}.sha256`;

function stopIfCancelled(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new AppError('scan_aborted', 'The export was cancelled.', { hint: 'Nothing was left behind; call again.' });
}

async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    stopIfCancelled(signal);
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/** Now, so that nobody takes the file away as an old one meanwhile. False when it is not there. */
function touch(path: string): Promise<boolean> {
  const now = new Date();
  return utimes(path, now, now).then(
    () => true,
    () => false,
  );
}

/** The file of this name, if it is there and as it was written. It counts as new again. */
async function existing({ folder, name, signal }: FileTarget): Promise<WrittenFile | undefined> {
  const path = join(folder, name);
  if (!(await touch(path))) return undefined;
  const noted = await readFile(sumPath(path), 'utf8').catch(() => '');
  const sha256 = /^([0-9a-f]{64}) /.exec(noted)?.[1];
  const found = sha256 === undefined ? undefined : await stat(path).catch(() => undefined);
  if (sha256 === undefined || !found?.isFile() || (await hashOf(path, signal)) !== sha256) return undefined;
  return { path, bytes: found.size, sha256 };
}

/** Where a file's content goes to. */
export interface Sink {
  /** Text is collected to blocks. */
  text(piece: string): Promise<void> | undefined;
  bytes(block: Uint8Array): Promise<void>;
  /** For a while nothing came: what is written elsewhere for this file takes room as well. */
  idle(): Promise<void> | undefined;
}

/** A sink that knows length and hash of all that went through, and stops where the disk gets too full. */
function createSink(handle: FileHandle, room: Room) {
  const hash = createHash('sha256');
  let waiting = '';
  let bytes = 0;
  const write = async (block: Uint8Array): Promise<void> => {
    hash.update(block);
    for (let at = 0; at < block.length;) at += (await handle.write(block, at)).bytesWritten;
    bytes += block.length;
    await room.wrote(block.length);
  };
  const flush = (): Promise<void> => {
    const block = Buffer.from(waiting);
    waiting = '';
    return write(block);
  };
  const sink: Sink = {
    text(piece) {
      waiting += piece;
      return waiting.length >= BLOCK ? flush() : undefined;
    },
    bytes: write,
    idle: () => room.wrote(0),
  };
  const end = async () => {
    await flush();
    return { bytes, sha256: hash.digest('hex') };
  };
  return { sink, end };
}

type Fill = (sink: Sink, scratchPath: string) => Promise<void>;

/** Puts in text piece by piece; others of the process have their turn in between. */
export const fillWithText =
  (write: (scratchPath: string) => Iterable<string>, signal: AbortSignal): Fill =>
  async (sink, scratchPath) => {
    const turns = createTurns();
    for (const piece of write(scratchPath)) {
      await sink.text(piece);
      const turn = turns.ifDue();
      if (!turn) continue;
      await turn;
      stopIfCancelled(signal);
      await sink.idle();
    }
  };

/** Puts in bytes as they are. */
export const fillWithBytes =
  (blocks: AsyncIterable<Uint8Array>, signal: AbortSignal): Fill =>
  async (sink) => {
    for await (const block of blocks) {
      stopIfCancelled(signal);
      await sink.bytes(block);
    }
  };

const OPEN_TRIES = 5;

/** The folder may be taken away as an empty one before the first file is in it. */
async function openIn(folder: string, path: string): Promise<FileHandle> {
  for (let tries = 1; ; tries += 1) {
    await makeFolder(folder);
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      if (tries === OPEN_TRIES || !(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
}

async function writeAll(
  handle: FileHandle,
  room: Room,
  fill: (sink: Sink) => Promise<void>,
): Promise<Omit<WrittenFile, 'path'>> {
  try {
    const { sink, end } = createSink(handle, room);
    await fill(sink);
    return await end();
  } finally {
    await handle.close();
  }
}

/**
 * Writes a file that is whole or not there, readable by its owner only. One of the same name that is there and unchanged
 * is kept.
 * @param fill It may make the file at `scratchPath`, which is removed.
 * @throws AppError storage_full, storage_unusable, scan_aborted when the signal aborts; and what `fill` throws
 */
export async function writeOnce(target: FileTarget, fill: Fill): Promise<WrittenFile> {
  const { folder, name, keepFree = 0, leastBytes = 0, free = freeBytes } = target;
  const unique = randomBytes(6).toString('hex');
  const temporary = join(folder, `.${unique}.tmp`);
  const scratch = join(folder, `.${unique}.scratch.tmp`);
  const path = join(folder, name);
  try {
    await makeFolder(folder);
    const known = await existing(target);
    if (known) return known;
    const room = createRoom({ folder, keepFree, free, now: () => performance.now() });
    await room.require(leastBytes);
    const handle = await openIn(folder, temporary);
    const { bytes, sha256 } = await writeAll(handle, room, (sink) => fill(sink, scratch));
    await rename(temporary, path);
    // Beside it, in the form `sha256sum --check` reads.
    await writeFile(temporary, `${sha256}  ${name}\n`, { mode: 0o600 });
    await rename(temporary, sumPath(path));
    return { path, bytes, sha256 };
  } catch (error) {
    throw diskFailure(error, folder);
  } finally {
    await discard([temporary, scratch]);
  }
}
