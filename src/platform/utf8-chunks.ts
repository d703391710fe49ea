import { isUtf8 } from 'node:buffer';
import { AppError } from '../model/errors.ts';

/** A piece of a report: UTF-8 without its byte order mark. `offset` counts bytes of the file, from 0. */
export interface Utf8Chunk {
  readonly bytes: Buffer;
  readonly offset: number;
}

/** Pieces stay this small whatever the source gives, so that results come out between them. */
const PIECE_BYTES = 64 << 10;
/** Enough to know a byte order mark or a wide encoding. */
const START_BYTES = 4;

/** `The nuclei report <has ...> at byte 12.` */
export const unreadableAt = (what: string, problem: string, offset: number, cause?: unknown): AppError =>
  new AppError('report_unreadable', `The ${what} ${problem} at byte ${offset}.`, { cause });

/**
 * The bytes of a report, checked to be UTF-8. A byte order mark is left out. What comes before the first wrong byte is
 * given before the error is thrown.
 * @throws AppError report_unreadable naming the byte: other encodings, compressed files, bytes that are not UTF-8
 */
export async function* utf8Chunks(source: AsyncIterable<unknown>, what: string): AsyncGenerator<Utf8Chunk> {
  yield* chunksOf(source, what, true);
}

/** The same without a look at the bytes behind the first few: for a reader that judges each of its lines by itself. */
export async function* rawChunks(source: AsyncIterable<unknown>, what: string): AsyncGenerator<Utf8Chunk> {
  yield* chunksOf(source, what, false);
}

async function* chunksOf(source: AsyncIterable<unknown>, what: string, isChecked: boolean): AsyncGenerator<Utf8Chunk> {
  let start: Buffer | undefined = Buffer.alloc(0);
  let offset = 0;
  let tail: Buffer = Buffer.alloc(0);
  const check = function* (bytes: Buffer): Generator<Utf8Chunk> {
    for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
      const piece = bytes.subarray(from, from + PIECE_BYTES);
      if (!isChecked) {
        yield { bytes: piece, offset };
        offset += piece.length;
        continue;
      }
      const text = tail.length > 0 ? Buffer.concat([tail, piece]) : piece;
      const whole = text.length - unfinishedBytes(text);
      if (!isUtf8(text.subarray(0, whole))) {
        const good = validPrefix(text);
        yield { bytes: text.subarray(0, good), offset };
        throw unreadableAt(what, 'has bytes that are not UTF-8', offset + good);
      }
      yield { bytes: text.subarray(0, whole), offset };
      offset += whole;
      tail = text.subarray(whole);
    }
  };
  for await (const chunk of source) {
    let bytes = bytesOf(chunk);
    if (start) {
      start = Buffer.concat([start, bytes]);
      if (start.length < START_BYTES) continue;
      offset = markLength(start, what);
      bytes = start.subarray(offset);
      start = undefined;
    }
    yield* check(bytes);
  }
  if (start) {
    offset = markLength(start, what);
    yield* check(start.subarray(offset));
  }
  if (tail.length > 0) throw unreadableAt(what, 'ends in the middle of a character', offset);
}

function bytesOf(chunk: unknown): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError('a report gives bytes or text');
}

/** Length of the byte order mark. @throws AppError report_unreadable for what is no UTF-8 text at all */
function markLength(start: Buffer, what: string): number {
  const starts = (...bytes: number[]): boolean => bytes.every((byte, at) => start[at] === byte);
  if (starts(0xef, 0xbb, 0xbf)) return 3;
  if (starts(0x1f, 0x8b)) throw unreadableAt(what, 'is compressed with gzip; unpack it first', 0);
  if (starts(0x50, 0x4b, 0x03, 0x04)) throw unreadableAt(what, 'is a zip archive; unpack it first', 0);
  // JSON begins with ASCII: a zero byte among the first two is a wide encoding without its mark.
  const isWide = starts(0xff, 0xfe) || starts(0xfe, 0xff) || start[0] === 0 || start[1] === 0;
  if (isWide && start.length > 1) throw unreadableAt(what, 'is in UTF-16 or UTF-32; save it as UTF-8', 0);
  return 0;
}

/** Bytes at the end that begin a character whose rest is still to come. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < lengthOfCharacter(byte) ? back : 0;
  }
  return 0;
}

function lengthOfCharacter(first: number): number {
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}

/** Length of the longest beginning that is UTF-8; halving works because every beginning of good text is good. */
function validPrefix(bytes: Buffer): number {
  const isGood = (length: number): boolean => {
    const part = bytes.subarray(0, length);
    return isUtf8(part.subarray(0, length - unfinishedBytes(part)));
  };
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isGood(middle)) good = middle;
    else bad = middle;
  }
  return good - unfinishedBytes(bytes.subarray(0, good));
}
