import { cleanUntrusted, refang } from '../model/untrusted.ts';
import type { OpenFindings } from './open-findings.ts';
import { damaged } from './reading.ts';

/** Which texts hold what was searched for, 1 by id. */
export interface WordHits {
  readonly rules: Uint8Array;
  readonly bodies: Uint8Array;
}

/** Longer than any search. */
const MAX_SEARCH = 10_000;

/**
 * Searches title and description of the rules and what search-text.ts makes of the findings, without regard to case. Only one block of text
 * is in memory at a time.
 */
export function findWords(file: OpenFindings, text: string): WordHits {
  const needles = needlesOf(text);
  const sizeOf = (table: 'rule' | 'body'): number =>
    Number(file.db.prepare(`SELECT coalesce(max(id), -1) + 1 AS n FROM ${table}`).get()?.['n']);
  return {
    rules: searchBlocks(file, 'rule', sizeOf('rule'), needles),
    bodies: searchBlocks(file, 'body', sizeOf('body'), needles),
  };
}

/** Links in untrusted text are shown defanged, in rules they are not; who searches should not have to know that. */
function needlesOf(text: string): Buffer[] {
  const spellings = [text, cleanUntrusted(text, MAX_SEARCH), refang(text)].filter(
    (spelling) => !/\p{Cs}/u.test(spelling),
  );
  return [...new Set(spellings.map((spelling) => spelling.toLowerCase()))].map((spelling) => Buffer.from(spelling));
}

interface Block {
  /** Id of the first text. */
  readonly first: number;
  /** Where each text begins, and where the last one ends. */
  readonly bounds: Uint32Array;
  readonly text: Buffer;
}

function searchBlocks(file: OpenFindings, kind: 'rule' | 'body', size: number, texts: readonly Buffer[]): Uint8Array {
  const hits = new Uint8Array(size);
  const rows = file.db.prepare('SELECT first, offsets, text FROM words WHERE kind = ? ORDER BY first').iterate(kind);
  let needles: readonly Needle[] | undefined;
  let next = 0;
  for (const row of rows) {
    const block = blockOf(file.path, row);
    const end = block.first + block.bounds.length - 1;
    if (!(block.first >= next) || end > size) throw damaged(file.path);
    next = end;
    needles ??= anchored(texts, block.text);
    for (const needle of needles) markHits(block, needle, hits);
  }
  return hits;
}

function blockOf(path: string, row: Readonly<Record<string, unknown>>): Block {
  const { first, offsets, text } = row;
  if (!(offsets instanceof Uint8Array) || !(text instanceof Uint8Array) || offsets.length % 4 !== 0)
    throw damaged(path);
  const begins = new Uint32Array(offsets.slice().buffer);
  const bounds = new Uint32Array(begins.length + 1);
  bounds.set(begins);
  bounds[begins.length] = text.length;
  for (let index = 1; index < bounds.length; index += 1) {
    if ((bounds[index] ?? 0) < (bounds[index - 1] ?? 0)) throw damaged(path);
  }
  return { first: Number(first), bounds, text: Buffer.from(text.buffer, text.byteOffset, text.length) };
}

interface Needle {
  readonly bytes: Buffer;
  /** Where `tail` begins in it. */
  readonly anchor: number;
  /** What is looked for first. */
  readonly tail: Buffer;
}

/** A shorter tail would be found too often by chance. */
const SHORTEST_TAIL = 4;

/**
 * The search jumps from one occurrence of its first byte to the next, which takes three times as long for an `i` as for a
 * `q`. So it looks for the tail that begins with the rarest byte, and then at what stands before it.
 * @param sample Text that shows how often each byte occurs.
 */
function anchored(texts: readonly Buffer[], sample: Buffer): Needle[] {
  const often = new Uint32Array(256);
  for (const byte of sample) often[byte] = (often[byte] ?? 0) + 1;
  return texts.map((bytes) => {
    let anchor = 0;
    for (let at = 1; at <= bytes.length - SHORTEST_TAIL; at += 1) {
      if ((often[bytes[at] ?? 0] ?? 0) < (often[bytes[anchor] ?? 0] ?? 0)) anchor = at;
    }
    return { bytes, anchor, tail: bytes.subarray(anchor) };
  });
}

/** Marks each text that holds the needle whole: texts stand side by side, and half a hit in each of two is none. */
function markHits({ first, bounds, text }: Block, { bytes, anchor, tail }: Needle, hits: Uint8Array): void {
  let index = 0;
  let at = text.indexOf(tail);
  while (at >= 0) {
    const begin = at - anchor;
    at += 1;
    if (begin >= 0 && text.compare(bytes, 0, anchor, begin, begin + anchor) === 0) {
      while ((bounds[index + 1] ?? text.length) <= begin) index += 1;
      const end = bounds[index + 1] ?? text.length;
      if (begin + bytes.length <= end) {
        hits[first + index] = 1;
        // One hit in a text is enough.
        at = end + anchor;
      }
    }
    at = text.indexOf(tail, at);
  }
}
