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
