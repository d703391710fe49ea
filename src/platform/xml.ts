import type { Readable } from 'node:stream';
import { SaxesParser } from 'saxes';
import { AppError } from '../model/errors.ts';
import { cleanLine } from '../model/untrusted.ts';
import { Utf8Text } from './utf8.ts';

/** The parser has no limits of its own; a report is hostile input. Lengths in UTF-16 units. */
export interface XmlLimits {
  readonly depth: number;
  readonly textChars: number;
  readonly attributeChars: number;
  /** Attributes of one element. */
  readonly attributes: number;
  /** Elements of the whole stream. */
  readonly elements: number;
}

const DEFAULT_LIMITS: XmlLimits = {
  depth: 64,
  textChars: 4 << 20,
  attributeChars: 64 << 10,
  attributes: 256,
  elements: Number.MAX_SAFE_INTEGER,
};

export interface XmlOptions extends Partial<XmlLimits> {
  /** For messages: `nmap report`. */
  readonly what: string;
  /**
   * `many`: several complete documents one after the other, each with its XML declaration; comments before the first
   * declaration are tolerated. Only for formats that never write `<?xml ` inside a document.
   */
  readonly documents?: 'one' | 'many';
  /** Names the place read last, where not everything is given to the reader. Default: line and column. */
  readonly where?: () => string;
}

/** Attributes have no prototype: any name is only a key. */
export type XmlAttributes = Readonly<Record<string, string | undefined>>;

export interface XmlHandlers {
  open(name: string, attributes: XmlAttributes): void;
  /** Text and CDATA of the innermost open element, in pieces. */
  text?(text: string): void;
  close?(name: string): void;
  /** A document ended as it should. */
  end?(): void;
  /** A document ended in its middle. Without this handler that is `report_unreadable`. */
  cut?(): void;
}

/** Text is given to the parser in pieces of this length, so that results come out between them. */
const PIECE_CHARS = 64 << 10;

/**
 * Reads XML as a stream and yields what the handlers emit, piece by piece: memory stays flat, and a slow reader slows
 * the source. DTDs (but for a bare `<!DOCTYPE name>`), undefined entities, other encodings than UTF-8 and anything past
 * the limits are refused. What was complete before an error is yielded before it is thrown.
 * @param handlersFor Makes the handlers; `where` names the place read last, for their own errors.
 * @throws AppError report_unreadable, naming line and column
 */
export async function* readXml<Item>(
  source: Readable,
  handlersFor: (emit: (item: Item) => void, where: () => string) => XmlHandlers,
  options: XmlOptions,
): AsyncGenerator<Item, void, undefined> {
  let ready: Item[] = [];
  const take = (): Item[] => {
    const items = ready;
    ready = [];
    return items;
  };
  const reader: XmlReader = new XmlReader(
    handlersFor(
      (item) => void ready.push(item),
      () => reader.where(),
    ),
    options,
  );
  try {
    for await (const chunk of source) {
      for (const text of textsOf(chunk, reader)) {
        reader.write(text);
        yield* take();
      }
    }
    reader.finish();
  } catch (error) {
    yield* take();
    throw error;
  }
  yield* take();
}

/** Bytes are cut, not text: the parser reads a cut text several times slower, character by character through its whole. */
function* textsOf(chunk: unknown, reader: XmlReader): Generator<string> {
  const whole = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  if (!(whole instanceof Uint8Array)) throw new TypeError('an XML source gives bytes or text');
  for (let at = 0; at < whole.length; at += PIECE_CHARS) {
    const text = reader.decode(whole.subarray(at, at + PIECE_CHARS));
    if (text !== '') yield text;
    // What came before a bad byte was read by now: also the declaration that says why it is one.
    reader.checkBytes();
  }
}

const DECLARATION = '<?xml ';
const READABLE_ENCODINGS = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

/**
 * The reader behind `readXml`, for a parser that gives it only parts of the stream. What it is given must be, in order,
 * the stream without parts that begin and end between two elements and are well-formed by themselves.
 */
export class XmlReader {
  readonly #handlers: XmlHandlers;
  readonly #what: string;
  readonly #place: (() => string) | undefined;
  readonly #many: boolean;
  readonly #limits: XmlLimits;
  readonly #bytes = new Utf8Text();
  #parser: SaxesParser;
  #held = '';
  #depth = 0;
  #elements = 0;
  #attributes = 0;
  #attributeChars = 0;
  #rootSeen = false;
  #anyRoot = false;
  /** Whether the current document holds anything but white space. */
  #begun = false;
  /** Characters given to the parser since it last said anything: what it keeps in memory. */
  #silentChars = 0;
  #linesBefore = 0;

  constructor(handlers: XmlHandlers, { what, documents, where, ...limits }: XmlOptions) {
    this.#handlers = handlers;
    this.#place = where;
    this.#what = what;
    this.#many = documents === 'many';
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#parser = this.#newParser();
  }

  decode(chunk: Uint8Array): string {
    return this.#bytes.push(chunk);
  }

  /** @throws AppError report_unreadable when what comes next is not UTF-8 */
  checkBytes(): void {
    if (!this.#bytes.isBad) return;
    this.#checkEncoding();
    throw this.#unreadable('bytes that are not UTF-8');
  }

  write(piece: string): void {
    if (!this.#many) return this.#feed(piece);
    const text = this.#held + piece;
    this.#held = '';
    let from = 0;
    for (let at = text.indexOf(DECLARATION); at !== -1; at = text.indexOf(DECLARATION, from + 1)) {
      this.#feed(text.slice(from, at));
      this.#nextDocument();
      from = at;
    }
    const keep = unfinishedDeclaration(text);
    this.#feed(text.slice(from, text.length - keep));
    this.#held = text.slice(text.length - keep);
  }

  finish(): void {
    const cutInCharacter = this.#bytes.isWithin;
    this.#feed(this.#held);
    if (!this.#anyRoot) throw this.#unreadable(this.#begun ? 'no XML element' : 'nothing');
    if (this.#begun || cutInCharacter) this.#endDocument(cutInCharacter);
  }

  #nextDocument(): void {
    const lines = this.#parser.line - 1; // closing resets it
    if (this.#rootSeen) this.#endDocument(false);
    this.#linesBefore += lines;
    this.#parser = this.#newParser();
    this.#depth = 0;
    this.#rootSeen = false;
    this.#begun = false;
    this.#silentChars = 0;
  }

  #endDocument(cutInCharacter: boolean): void {
    const isCut = this.#depth > 0 || !this.#rootSeen || cutInCharacter;
    if (!isCut) {
      this.#parser.close();
      this.#handlers.end?.();
    } else if (this.#handlers.cut) this.#handlers.cut();
    else throw this.#unreadable('its end too early');
  }

  #feed(text: string): void {
    if (text === '') return;
    this.#begun ||= /\S/.test(text);
    this.#silentChars += text.length;
    this.#parser.write(text);
    const { textChars, attributeChars } = this.#limits;
    if (this.#silentChars > Math.max(textChars, attributeChars) + PIECE_CHARS)
      throw this.#unreadable('too long a text');
  }

  /**
   * Seven handlers and no more: each adds a property to the parser, and with an eighth V8 keeps its properties in a hash
   * table, in which every character costs four times as much (measured with Node 20, saxes 6.0).
   */
  #newParser(): SaxesParser {
    const parser = new SaxesParser();
    const heard = (): void => void (this.#silentChars = 0);
    parser.on('error', (error) => {
      throw this.#unreadable(error.message.replace(/^[\d:\s]+|\.$/g, ''), { cause: error });
    });
    parser.on('doctype', (doctype) => {
      heard();
      if (!/^\s*[\w:.-]+\s*$/.test(doctype)) throw this.#unreadable('a document type with declarations');
    });
    parser.on('attribute', ({ value }) => this.#attribute(value.length));
    parser.on('opentag', ({ name, attributes }) => this.#open(name, attributes));
    parser.on('closetag', ({ name }) => {
      heard();
      this.#depth -= 1;
      this.#handlers.close?.(name);
    });
    const text = (piece: string): void => {
      heard();
      if (piece.length > this.#limits.textChars) throw this.#unreadable('too long a text');
      if (this.#depth > 0) this.#handlers.text?.(piece);
    };
    parser.on('text', text);
    parser.on('cdata', text);
    return parser;
  }

  #attribute(chars: number): void {
    this.#silentChars = 0;
    this.#attributes += 1;
    this.#attributeChars += chars;
    const { attributes, attributeChars } = this.#limits;
    if (this.#attributes > attributes) throw this.#unreadable('too many attributes');
    if (chars > attributeChars) throw this.#unreadable('too long an attribute');
    // Together they stay in memory until the tag ends.
    if (this.#attributeChars > attributeChars * 4) throw this.#unreadable('too long attributes');
  }

  #open(name: string, attributes: XmlAttributes): void {
    this.#silentChars = 0;
    this.#attributes = 0;
    this.#attributeChars = 0;
    if (!this.#rootSeen) this.#checkEncoding();
    this.#rootSeen = true;
    this.#anyRoot = true;
    this.#depth += 1;
    this.#elements += 1;
    if (this.#depth > this.#limits.depth) throw this.#unreadable('elements nested too deep');
    if (this.#elements > this.#limits.elements) throw this.#unreadable('too many elements');
    this.#handlers.open(name, attributes);
  }

  #checkEncoding(): void {
    const { encoding } = this.#parser.xmlDecl;
    if (encoding && !READABLE_ENCODINGS.has(encoding.toLowerCase()))
      throw this.#unreadable(`the encoding ${cleanLine(encoding, 40)}, where only UTF-8 is read,`, {
        at: this.#place?.() ?? `line ${this.#linesBefore + 1}`,
      });
  }

  /** Characters (UTF-16 units) of this document that were read. */
  get position(): number {
    return this.#parser.position;
  }

  where(): string {
    if (this.#place) return this.#place();
    return `line ${this.#linesBefore + this.#parser.line}, column ${this.#parser.column}`;
  }

  #unreadable(found: string, { at = this.where(), cause }: { at?: string; cause?: unknown } = {}): AppError {
    const message = `The ${this.#what} has ${cleanLine(found, 160)} at ${at}.`;
    return new AppError('report_unreadable', message, { cause });
  }
}

/** Length of a start of `<?xml ` that ends the text: the next piece decides. */
function unfinishedDeclaration(text: string): number {
  for (let length = DECLARATION.length - 1; length > 0; length -= 1) {
    if (text.endsWith(DECLARATION.slice(0, length))) return length;
  }
  return 0;
}
