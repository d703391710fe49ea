import { PRINT_BYTES } from './layout.ts';

const WORDS = PRINT_BYTES / 4;
/** Slots per print: with half of them free a search looks at one and a half slots on average. */
const SLOTS_PER_PRINT = 2;
const NO_MATCH = -1;

/** The words of fingerprints; copied only where their bytes do not lie on a word boundary. */
function wordsOf(prints: Uint8Array): Uint32Array {
  const aligned = prints.byteOffset % 4 === 0 ? prints : Uint8Array.from(prints);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, Math.floor(prints.length / 4));
}

const slotCount = (prints: number): number => 2 ** Math.ceil(Math.log2(Math.max(prints * SLOTS_PER_PRINT, 2)));

/**
 * For each print of `a` the index of the equal print in `b`, or -1. A hash table with open addressing over typed arrays:
 * prints are parts of SHA-256 hashes, so their first word is as good a hash as any, and nothing is made per finding.
 * Prints are unique within `b`.
 * @param a,b `PRINT_BYTES` per finding
 */
export function matchPrints(a: Uint8Array, b: Uint8Array): Int32Array {
  const [wordsA, wordsB] = [wordsOf(a), wordsOf(b)];
  const [countA, countB] = [Math.floor(wordsA.length / WORDS), Math.floor(wordsB.length / WORDS)];
  const mask = slotCount(countB) - 1;
  const slots = new Uint32Array(mask + 1);
  for (let index = 0; index < countB; index += 1) {
    let slot = (wordsB[index * WORDS] ?? 0) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = index + 1;
  }
  const matches = new Int32Array(countA).fill(NO_MATCH);
  for (let index = 0; index < countA; index += 1) {
    let slot = (wordsA[index * WORDS] ?? 0) & mask;
    for (let entry = slots[slot] ?? 0; entry !== 0; entry = slots[slot] ?? 0) {
      if (isEqual(wordsA, index, wordsB, entry - 1)) {
        matches[index] = entry - 1;
        break;
      }
      slot = (slot + 1) & mask;
    }
  }
  return matches;
}

/** For each print the index of the first that is equal to it: its own where there is none before it. */
export function firstEqualPrints(prints: Uint8Array): Uint32Array {
  const words = wordsOf(prints);
  const count = Math.floor(words.length / WORDS);
  const mask = slotCount(count) - 1;
  const slots = new Uint32Array(mask + 1);
  return Uint32Array.from({ length: count }, (_, index) => {
    let slot = (words[index * WORDS] ?? 0) & mask;
    for (let entry = slots[slot] ?? 0; entry !== 0; entry = slots[slot] ?? 0) {
      if (isEqual(words, index, words, entry - 1)) return entry - 1;
      slot = (slot + 1) & mask;
    }
    slots[slot] = index + 1;
    return index;
  });
}

function isEqual(a: Uint32Array, indexA: number, b: Uint32Array, indexB: number): boolean {
  const [atA, atB] = [indexA * WORDS, indexB * WORDS];
  return a[atA] === b[atB] && a[atA + 1] === b[atB + 1] && a[atA + 2] === b[atB + 2] && a[atA + 3] === b[atB + 3];
}

/** The index of one print, or -1. */
export function indexOfPrint(prints: Uint8Array, print: Uint8Array): number {
  const bytes = Buffer.from(prints.buffer, prints.byteOffset, prints.length);
  for (let at = bytes.indexOf(print); at >= 0; at = bytes.indexOf(print, at + 1)) {
    if (at % PRINT_BYTES === 0) return at / PRINT_BYTES;
  }
  return NO_MATCH;
}
