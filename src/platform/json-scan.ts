import { wholeCharacters } from './utf8.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const COMMA = 0x2c;

export const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

const endsScalar = (byte: number | undefined): boolean =>
  byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte);

/** Why a value could not be passed over. */
export type ScanFault = 'brackets that do not match' | 'values nested too deep' | 'too long a value';

/**
 * Finds the end of one JSON value that may come in many pieces, by strings and brackets only: what is between them is
 * not looked at. Memory: one byte per level, and the pieces of the value when they are to be kept.
 */
export class JsonScan {
  /** Of the first byte, in the file. */
  readonly offset: number;
  readonly #kind: 'string' | 'container' | 'scalar';
  readonly #keeps: boolean;
  readonly #maxBytes: number;
  readonly #closers: Uint8Array;
  /** Infinity: nothing is cut. */
  readonly #cutBytes: number;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #length = 0;
  #pieces: Buffer[] = [];
  done = false;
  fault: ScanFault | undefined;

  constructor(first: number, offset: number, { keeps, maxBytes, maxDepth, cutBytes }: ScanOptions) {
    this.offset = offset;
    this.#keeps = keeps;
    this.#maxBytes = maxBytes;
    this.#kind = kindOf(first);
    this.#cutBytes = this.#kind === 'string' && cutBytes !== undefined ? cutBytes : Number.POSITIVE_INFINITY;
    this.#closers = new Uint8Array(this.#kind === 'container' ? maxDepth : 0);
  }

  /** Takes bytes from `from` (the first call: the first byte of the value); gives the index after the last one used. */
  feed(bytes: Buffer, from: number): number {
    const end = this.#end(bytes, from);
    this.#length += end - from;
    if (this.#keeps && this.#length - (end - from) <= this.#cutBytes) {
      if (this.#length > this.#maxBytes) this.fault ??= 'too long a value';
      else this.#pieces.push(bytes.subarray(from, end));
    }
    return end;
  }

  /** The end of the file ends a number or a word, and nothing else. */
  finish(): boolean {
    this.done ||= this.#kind === 'scalar';
    return this.done;
  }

  /** The value as text, when it was kept. */
  text(): string {
    const [only, ...more] = this.#pieces;
    if (!only) return '';
    const bytes = more.length === 0 ? only : Buffer.concat(this.#pieces);
    return this.#length > this.#cutBytes ? cutString(bytes, this.#cutBytes) : bytes.toString('utf8');
  }

  #end(bytes: Buffer, from: number): number {
    if (this.#kind === 'container') return this.#container(bytes, from);
    if (this.#kind === 'scalar') return this.#scalar(bytes, from);
    const at = this.#length === 0 ? from + 1 : from;
    this.#inString = true;
    const end = this.#string(bytes, at);
    this.done = !this.#inString;
    return end;
  }

  #scalar(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && !endsScalar(bytes[at])) at += 1;
    this.done = at < bytes.length;
    return at;
  }

  #string(bytes: Buffer, from: number): number {
    let at = from;
    if (this.#escaped && at < bytes.length) {
      this.#escaped = false;
      at += 1;
    }
    while (at < bytes.length) {
      const byte = bytes[at];
      at += 1;
      if (byte === QUOTE) {
        this.#inString = false;
        return at;
      }
      if (byte !== BACKSLASH) continue;
      if (at === bytes.length) this.#escaped = true;
      else at += 1;
    }
    return at;
  }

  #container(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length) {
      if (this.#inString) {
        at = this.#string(bytes, at);
        continue;
      }
      const byte = bytes[at];
      at += 1;
      if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN_BRACE) this.#open(CLOSE_BRACE);
      else if (byte === OPEN_BRACKET) this.#open(CLOSE_BRACKET);
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#close(byte);
      if (this.done || this.fault) return at;
    }
    return at;
  }

  #open(closer: number): void {
    if (this.#depth === this.#closers.length) this.fault = 'values nested too deep';
    this.#closers[this.#depth] = closer;
    this.#depth += 1;
  }

  #close(byte: number): void {
    this.#depth -= 1;
    if (this.#closers[this.#depth] !== byte) this.fault = 'brackets that do not match';
    this.done = this.#depth === 0;
  }
}

/** A string up to a whole character and a whole escape, closed. */
function cutString(bytes: Buffer, length: number): string {
  const text = bytes.toString('utf8', 0, wholeCharacters(bytes, Math.min(length, bytes.length)));
  const at = /\\(?:u[0-9a-fA-F]{0,3})?$/.exec(text.slice(-5))?.[0].length;
  if (at === undefined) return `${text}"`;
  // A backslash that is itself escaped begins nothing.
  let before = text.length - at;
  while (text[before - 1] === '\\') before -= 1;
  return (text.length - at - before) % 2 === 0 ? `${text.slice(0, -at)}"` : `${text}"`;
}

export interface ScanOptions {
  readonly keeps: boolean;
  /** Of a value that is kept. */
  readonly maxBytes: number;
  readonly maxDepth: number;
  /** Of a string that is kept: what is longer is cut, and is no fault. */
  readonly cutBytes?: number | undefined;
}

function kindOf(first: number): 'string' | 'container' | 'scalar' {
  if (first === QUOTE) return 'string';
  return first === OPEN_BRACE || first === OPEN_BRACKET ? 'container' : 'scalar';
}
