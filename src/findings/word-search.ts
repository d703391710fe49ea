import { cleanUntrusted } from '../model/untrusted.ts';
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
 * Searches title and description of the rules and the untrusted texts, without regard to case. Only one block of text
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

/** Links in untrusted text are stored defanged; who searches for one should not have to know that. */
function needlesOf(text: string): Buffer[] {
  const spellings = [text, cleanUntrusted(text, MAX_SEARCH)].filter((spelling) => !/\p{Cs}/u.test(spelling));
  return [...new Set(spellings.map((spelling) => spelling.toLowerCase()))].map((spelling) => Buffer.from(spelling));
}

interface Block {
  /** Id of the first text. */
  readonly first: number;
  /** Where each text begins, and where the last one ends. */
  readonly bounds: Uint32Array;
  readonly text: Buffer;
}

function searchBlocks(file: OpenFindings, kind: 'rule' | 'body', size: number, needles: readonly Buffer[]): Uint8Array {
  const hits = new Uint8Array(size);
  let next = 0;
  for (const row of file.db
    .prepare('SELECT first, offsets, text FROM words WHERE kind = ? ORDER BY first')
    .iterate(kind)) {
    const block = blockOf(file.path, row);
    const end = block.first + block.bounds.length - 1;
    if (block.first < next || end > size) throw damaged(file.path);
    next = end;
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

/** Marks each text that holds the needle whole: texts stand side by side, and half a hit in each of two is none. */
function markHits({ first, bounds, text }: Block, needle: Buffer, hits: Uint8Array): void {
  let index = 0;
  let at = text.indexOf(needle);
  while (at >= 0) {
    while ((bounds[index + 1] ?? text.length) <= at) index += 1;
    const end = bounds[index + 1] ?? text.length;
    const isWhole = at + needle.length <= end;
    if (isWhole) hits[first + index] = 1;
    at = text.indexOf(needle, isWhole ? end : at + 1);
  }
}
