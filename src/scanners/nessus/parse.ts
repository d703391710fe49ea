import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { AppError } from '../../model/errors.ts';
import type { ReportEvent } from '../../model/report.ts';
import { XmlReader } from '../../platform/xml-reader.ts';
import { ItemReader } from './item-reader.ts';
import { wider, windowOn } from './plain-bytes.ts';
import { ITEM_START } from './plain-tag.ts';
import { readPlainTags, TAGS_END, TAGS_START } from './plain-tags.ts';
import { regionOf } from './plain-xml.ts';
import { MAX_TAG_CHARS, NessusReader } from './reader.ts';
import { utf8Length, wholeCharacters } from '../../platform/utf8.ts';

export interface ParseOptions {
  /** False: the XML parser reads every byte. It is the reference for the fast way, and five times slower. */
  readonly isFast?: boolean;
  /** The scan was to log in; a report need not tell that itself. */
  readonly login?: boolean;
}

/** What is looked at in one go; results come out between two. */
const PIECE_BYTES = 64 << 10;
/** Less is put aside until more comes: looking at every few bytes would be the work. */
const LEAST_BYTES = 16 << 10;

/** More than any item has: what is longer is read by the XML parser, which needs no whole item. */
const MAX_HELD_BYTES = 1 << 20;

/**
 * Reads a `.nessus` report of version 2. What was complete before the report stops making sense is yielded first; `end`
 * comes only when the root element was closed.
 * @throws AppError report_unreadable naming the byte
 */
export async function* parseNessus(
  report: Readable,
  options: ParseOptions = {},
): AsyncGenerator<ReportEvent, void, undefined> {
  const parser = new NessusParser(options);
  try {
    for await (const chunk of report) {
      const bytes = bytesOf(chunk);
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        parser.push(bytes.subarray(at, at + PIECE_BYTES));
        for (const event of parser.take()) yield event;
      }
    }
    parser.finish();
  } catch (error) {
    parser.abandon();
    for (const event of parser.take()) yield event;
    throw error;
  }
  for (const event of parser.take()) yield event;
}

function bytesOf(chunk: unknown): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (!(chunk instanceof Uint8Array)) throw new TypeError('a report is bytes or text');
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

const START = Buffer.from(ITEM_START);
const TAGS = Buffer.from(TAGS_START);
const TAGS_CLOSE = Buffer.from(TAGS_END);
/** XML 1.1 reads some characters otherwise; without a declaration it is 1.0. */
const VERSION_1_0 = /^(?:\xef\xbb\xbf)?(?:\s*<\?xml\s+version\s*=\s*["']1\.0["']|(?!\s*(?:<\?xml|<!--|$)))/;

/**
 * Gives the XML parser the stream without the items that can be read faster. That is only done between two tags inside a
 * `<ReportHost>`: at the `>` that completes a tag, the XML parser itself says so. Comments, CDATA and declarations are
 * therefore never taken for what they look like.
 */
class NessusParser {
  readonly #events: ReportEvent[] = [];
  readonly #reader: NessusReader;
  readonly #xml: XmlReader;
  readonly #items: ItemReader;
  #isFast: boolean;
  #isFirst = true;
  /** Filled from the start over and over; a new one for every chunk would be more work for the collector than parsing. */
  #space: Buffer = Buffer.allocUnsafeSlow(PIECE_BYTES * 4);
  /** The part of `#space` that holds bytes. */
  #buffer: Buffer = this.#space.subarray(0, 0);
  #window = windowOn(this.#space, this.#buffer);
  /** Next byte of the buffer to be read. */
  #at = 0;
  /** Bytes of the stream before the buffer. */
  #before = 0;
  /** The XML parser is between two tags of a host, right before `#at` but for white space. */
  #isBetween = false;
  /** Text given to the XML parser last, and where it began in stream and parser. */
  #given = { text: '', byte: 0, position: 0 };

  constructor({ isFast = true, login = false }: ParseOptions) {
    this.#isFast = isFast;
    const where = (): string => this.#where();
    this.#reader = new NessusReader(this.#events, { where, position: () => this.#xml.position, isAsked: login });
    this.#xml = new XmlReader(this.#reader, { what: 'Nessus report', where });
    this.#items = new ItemReader(this.#reader);
  }

  take(): ReportEvent[] {
    return this.#events.splice(0);
  }

  push(bytes: Buffer): void {
    this.#hold(bytes);
    if (this.#buffer.length - this.#at >= LEAST_BYTES) this.#parse();
  }

  finish(): void {
    this.#parse();
    this.#give(this.#buffer.length);
    if (this.#at < this.#buffer.length) throw this.#notUtf8();
    this.#xml.finish();
  }

  abandon(): void {
    this.#reader.abandon();
  }

  #hold(bytes: Buffer): void {
    const rest = this.#buffer.length - this.#at;
    const end = this.#buffer.length + bytes.length;
    if (end > this.#space.length) {
      const space = rest + bytes.length > this.#space.length / 2 ? Buffer.allocUnsafeSlow(end * 2) : this.#space;
      this.#buffer.copy(space, 0, this.#at);
      this.#space = space;
      this.#before += this.#at;
      this.#at = 0;
      this.#buffer = space.subarray(0, rest);
      this.#window = windowOn(space, this.#buffer);
    }
    bytes.copy(this.#space, this.#buffer.length);
    this.#buffer = this.#space.subarray(0, this.#buffer.length + bytes.length);
    this.#window = wider(this.#window, this.#buffer);
  }

  #parse(): void {
    if (this.#isFirst) this.#isFast &&= VERSION_1_0.test(this.#buffer.toString('latin1', 0, 200));
    this.#isFirst = false;
    if (!this.#isFast) return this.#give(this.#buffer.length);
    while (this.#step());
  }

  /** False: more bytes are needed. */
  #step(): boolean {
    if (!this.#isBetween) return this.#toItem();
    // White space between the items of a host says nothing.
    this.#at = afterWhite(this.#buffer, this.#at);
    if (this.#at + START.length > this.#buffer.length) return false;
    const host = this.#reader.openHost;
    const isItem = host !== undefined && startsWith(this.#buffer, this.#at);
    const end = isItem ? this.#items.read(host, this.#window, this.#at, this.#before) : 'other';
    if (end === 'cut' && !this.#isTooLong()) return false;
    if (typeof end === 'string') this.#leave();
    else this.#at = end;
    return true;
  }

  #isTooLong(): boolean {
    return this.#buffer.length - this.#at > MAX_HELD_BYTES;
  }

  /** Lets the XML parser read what comes next, to behind the beginning of an item if that is it. */
  #leave(): void {
    this.#isBetween = false;
    if (startsWith(this.#buffer, this.#at)) this.#give(this.#at + START.length);
  }

  /** Lets the XML parser read up to the next item, and asks it whether that is one. */
  #toItem(): boolean {
    const item = this.#buffer.indexOf(START, this.#at);
    if (item === -1) {
      this.#give(Math.max(this.#at, this.#buffer.length - START.length));
      return false;
    }
    this.#properties(item);
    const tagEnd = beforeWhite(this.#buffer, this.#at, item);
    this.#isBetween = this.#giveTag(tagEnd) && this.#reader.openHost !== undefined;
    if (!this.#isBetween) this.#give(item + START.length);
    return true;
  }

  /** Reads the properties of the host before an item without the XML parser, if they are plain. */
  #properties(item: number): void {
    const before = this.#buffer.subarray(this.#at, item);
    const start = before.indexOf(TAGS);
    const end = start === -1 ? -1 : before.indexOf(TAGS_CLOSE, start);
    const from = this.#at + start + TAGS.length;
    const to = this.#at + end;
    if (end === -1 || !this.#giveTag(from)) return;
    const host = this.#reader.openProperties;
    const found = host && readPlainTags(regionOf(this.#window, from, to));
    if (!host || !found) return;
    for (let at = 0; at < found.length; at += 2)
      host.tag(found[at] ?? '', (found[at + 1] ?? '').slice(0, MAX_TAG_CHARS));
    this.#at = to;
  }

  /** Gives the XML parser everything up to a `>`. True: with that it completed a tag. */
  #giveTag(end: number): boolean {
    if (end <= this.#at) return false;
    this.#give(end - 1);
    const { tags } = this.#reader;
    this.#give(end);
    return this.#reader.tags !== tags;
  }

  /** Gives the XML parser everything up to a position of the buffer, but for the beginning of a character. */
  #give(to: number): void {
    const end = Math.max(this.#at, wholeCharacters(this.#buffer, to));
    const bytes = this.#buffer.subarray(this.#at, end);
    if (isUtf8(bytes)) return this.#write(bytes);
    this.#write(bytes.subarray(0, utf8Length(bytes)));
    throw this.#notUtf8();
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    const byte = this.#before + this.#at;
    const text = bytes.toString('utf8');
    this.#given = { text, byte, position: this.#xml.position };
    this.#at += bytes.length;
    this.#xml.write(byte === 0 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
    this.#reader.settle();
  }

  #notUtf8(): AppError {
    const byte = this.#before + this.#at;
    return new AppError('report_unreadable', `The Nessus report has bytes that are not UTF-8 at byte ${byte}.`);
  }

  #where(): string {
    const { text, byte, position } = this.#given;
    return `byte ${byte + Buffer.byteLength(text.slice(0, Math.max(0, this.#xml.position - position)))}`;
  }
}

const BYTE_ORDER_MARK = '\u{feff}';

const isWhite = (byte: number | undefined): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9;

function afterWhite(bytes: Buffer, from: number): number {
  let at = from;
  while (isWhite(bytes[at])) at += 1;
  return at;
}

function beforeWhite(bytes: Buffer, least: number, from: number): number {
  let at = from;
  while (at > least && isWhite(bytes[at - 1])) at -= 1;
  return at;
}

/** Whether an item may begin here: the name may go on, which is for others to see. */
const startsWith = (bytes: Buffer, at: number): boolean =>
  at + START.length <= bytes.length && bytes.compare(START, 0, START.length, at, at + START.length) === 0;
