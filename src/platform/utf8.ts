import { isUtf8 } from 'node:buffer';

/** How much of the bytes up to `to` is whole characters, if all of them are UTF-8. */
export function wholeCharacters(bytes: Buffer, to: number): number {
  for (let back = 1; back <= Math.min(3, to); back += 1) {
    const byte = bytes[to - back] ?? 0;
    if (byte < 0x80) return to;
    if (byte >= 0xc0) return lengthFrom(byte) > back ? to - back : to;
  }
  return to;
}

/** Bytes of a character by its first one. */
const lengthFrom = (byte: number): number => (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2);

/** Length of the longest beginning that is UTF-8. */
export function utf8Length(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 16) {
    const end = wholeCharacters(bytes, (good + bad) >> 1);
    if (isUtf8(bytes.subarray(good, end))) good = end;
    else bad = end;
  }
  for (let end = bad; end > good; end -= 1) if (isUtf8(bytes.subarray(good, end))) return end;
  return good;
}

const BYTE_ORDER_MARK = '\u{feff}';

/** Bytes of a stream as text, up to the first that is not UTF-8: a `TextDecoder` loses what came before it as well. */
export class Utf8Text {
  #rest = Buffer.alloc(0);
  #isFirst = true;
  #isBad = false;

  /** The characters that are complete by now. */
  push(bytes: Uint8Array): string {
    if (this.#isBad) return '';
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, piece]) : piece;
    let end = wholeCharacters(all, all.length);
    this.#isBad = !isUtf8(all.subarray(0, end));
    if (this.#isBad) end = utf8Length(all.subarray(0, end));
    this.#rest = Buffer.from(all.subarray(end, end + 3));
    const text = all.toString('utf8', 0, end);
    const isMarked = this.#isFirst && text.startsWith(BYTE_ORDER_MARK);
    this.#isFirst &&= text === '';
    return isMarked ? text.slice(1) : text;
  }

  /** What comes next is not UTF-8, whatever follows. */
  get isBad(): boolean {
    const first = this.#rest[0] ?? 0;
    return this.#isBad || (first >= 0x80 && (first < 0xc2 || first > 0xf4));
  }

  /** Stands within a character. */
  get isWithin(): boolean {
    return this.#rest.length > 0;
  }
}
