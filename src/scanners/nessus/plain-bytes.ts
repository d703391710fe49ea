/** Bytes that are held, and the same memory four bytes at a time. */
export interface Window {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly view: DataView;
}

/** @param space a whole allocation, of which `bytes` is the beginning: words must be aligned */
export const windowOn = (space: Buffer, bytes: Buffer): Window => ({
  bytes,
  words: new Int32Array(space.buffer, space.byteOffset, space.length >> 2),
  view: new DataView(space.buffer, space.byteOffset, space.length),
});

/** The window when more of the space was filled. */
export const wider = ({ words, view }: Window, bytes: Buffer): Window => ({ bytes, words, view });

const [TOP, REST, ONES] = [0x80808080, 0x7f7f7f7f, 0x01010101];
const [TABS, NEWLINES, TO_SPACE] = [0x09090909, 0x0a0a0a0a, 0x60606060];

/**
 * Whether there is nothing but printable ASCII, tab and newline from `from` to `to`. No for some that are: up to three
 * bytes before and behind are looked at as well. Twice as fast as a pattern over the text: each byte of a word has its
 * answer in its top bit, and no sum carries into the next byte unless its own top bit was set.
 */
export function isPlainAscii({ words }: Window, from: number, to: number): boolean {
  const end = (to + 3) >> 2;
  if (end > words.length) return false;
  let odd = 0;
  for (let at = from >> 2; at < end; at += 1) {
    const word = words[at] ?? 0;
    const low = ~((word & REST) + TO_SPACE) & TOP; // below 0x20
    if (low !== 0) {
      const noTab = ((word ^ TABS) & REST) + REST;
      const noNewline = ((word ^ NEWLINES) & REST) + REST;
      odd |= low & noTab & noNewline;
    }
    odd |= word | (word + ONES); // above 0x7e
  }
  return (odd & TOP) === 0;
}

/** A text to be recognised among bytes, of four at least. */
export interface Mark {
  readonly length: number;
  readonly words: Int32Array;
  /** The last four bytes, some of them a second time: so any length will do. */
  readonly last: number;
}

/** @param text ASCII, of four characters at least */
export function markOf(text: string): Mark {
  const bytes = Buffer.from(text, 'latin1');
  const words = Int32Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readInt32LE(index * 4));
  return { length: bytes.length, words, last: bytes.readInt32LE(bytes.length - 4) };
}

/** Whether a text stands at `at` and ends before `end`. Half the time of `startsWith` for the tags of a report. */
export function isMarkAt(view: DataView, mark: Mark, at: number, end: number): boolean {
  const { words, length } = mark;
  if (at + length > end) return false;
  for (let index = 0; index < words.length; index += 1) {
    if (view.getInt32(at + index * 4, true) !== words[index]) return false;
  }
  return view.getInt32(at + length - 4, true) === mark.last;
}
