/** A number in [0, 1) each time, the same series for the same seed on every machine (Mulberry32). */
export function randomSeries(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Text of XML or of a double-quoted attribute. Characters XML 1.0 does not know are left out. */
export const escaped = (text: string): string =>
  text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');

const WORDS = `listener daemon package handler buffer cookie header session certificate cipher kernel module library
parser archive template upload redirect token cache proxy account privilege memory overflow disclosure injection
traversal bypass denial default outdated unsupported remote local update vendor advisory release patch`.split(/\s+/);

export interface Writer {
  readonly below: (most: number) => number;
  readonly words: (count: number) => string;
}

export function createWriter(seed: number): Writer {
  const next = randomSeries(seed);
  const below = (most: number): number => Math.floor(next() * most);
  return {
    below,
    words: (count) => Array.from({ length: count }, () => WORDS[below(WORDS.length)] ?? '').join(' '),
  };
}
