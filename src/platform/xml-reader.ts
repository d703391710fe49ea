import { SaxesParser } from 'saxes';
import { AppError } from '../model/errors.ts';
import { cleanLine } from '../model/untrusted.ts';
import { Utf8Text } from './utf8.ts';
import { XmlLead } from './xml-lead.ts';
import { LongText } from './xml-long-text.ts';
import { XmlMeter, type XmlLimits } from './xml-limits.ts';
import {
  declaresLatin1,
  isBareDoctype,
  isReadableEncoding,
  isWide,
  latin1,
  unfinishedDeclaration,
  XML_DECLARATION,
} from './xml-prolog.ts';

export interface XmlOptions extends Partial<XmlLimits> {
  /** For messages: `nmap report`. */
  readonly what: string;
  /**
   * `many`: several complete documents one after the other, each with its XML declaration; comments before the first
   * declaration are tolerated. Only for formats that never write `<?xml ` inside a document.
   */
  readonly documents?: 'one' | 'many';
  /** ISO-8859-1 is read, too, where the beginning of the first piece declares it. */
  readonly isLatin1Read?: boolean;
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
  /** True: nobody reads the text that comes now, so that it may be passed over, however long it is. */
  isTextUnread?(): boolean;
  /** A document ended as it should. */
  end?(): void;
  /** A document ended in its middle. Without this handler that is `report_unreadable`. */
  cut?(): void;
}

/**
 * The reader behind `readXml`, for a parser that gives it only parts of the stream. What it is given must be, in order,
 * the stream without parts that begin and end between two elements and are well-formed by themselves.
 */
export class XmlReader {
  readonly #handlers: XmlHandlers;
  readonly #what: string;
  readonly #place: (() => string) | undefined;
  readonly #many: boolean;
  readonly #isLatin1Read: boolean;
  /** The bytes are ISO-8859-1: each is a character. */
  #isLatin1 = false;
  readonly #meter: XmlMeter;
  readonly #bytes = new Utf8Text();
  #parser: SaxesParser;
  #held = '';
  #rootSeen = false;
  #anyRoot = false;
  #anyBytes = false;
  /** Whether the current document holds anything but white space. */
  #begun = false;
  #linesBefore = 0;
  readonly #passing = new LongText();
  readonly #lead = new XmlLead();
  /** Characters given to the parser of this document. */
  #fedChars = 0;
  #isFeeding = false;

  constructor(handlers: XmlHandlers, { what, documents, where, isLatin1Read = false, ...limits }: XmlOptions) {
    this.#handlers = handlers;
    this.#place = where;
    this.#what = what;
    this.#many = documents === 'many';
    this.#isLatin1Read = isLatin1Read;
    this.#meter = new XmlMeter(limits, (found) => {
      throw this.#unreadable(found);
    });
    this.#parser = this.#newParser();
  }

  /** @throws AppError report_unreadable when the first bytes are UTF-16 or UTF-32 */
  decode(chunk: Uint8Array): string {
    if (!this.#anyBytes && isWide(chunk)) throw this.#unreadable('UTF-16 or UTF-32, where only UTF-8 is read,');
    if (!this.#anyBytes) this.#isLatin1 = this.#isLatin1Read && declaresLatin1(chunk);
    this.#anyBytes ||= chunk.length > 0;
    return this.#isLatin1 ? latin1(chunk) : this.#bytes.push(chunk);
  }

  /** @throws AppError report_unreadable when what comes next is not UTF-8 */
  checkBytes(): void {
    if (!this.#bytes.isBad) return;
    this.#checkEncoding();
    throw this.#unreadable('bytes that are not UTF-8');
  }

  write(piece: string): void {
    if (!this.#many) return this.#feedFirst(piece);
    const text = this.#held + piece;
    this.#held = '';
    let from = 0;
    for (let at = text.indexOf(XML_DECLARATION); at !== -1; at = text.indexOf(XML_DECLARATION, from + 1)) {
      this.#feed(text.slice(from, at));
      this.#nextDocument();
      from = at;
    }
    const keep = unfinishedDeclaration(text);
    this.#feed(text.slice(from, text.length - keep));
    this.#held = text.slice(text.length - keep);
  }

  /** The one document there is, from its declaration on. */
  #feedFirst(piece: string): void {
    const { text, left } = this.#lead.push(piece);
    if (left !== '') this.#passing.leave(left);
    this.#feed(text);
  }

  finish(): void {
    const cutInCharacter = this.#bytes.isWithin;
    this.#feed(this.#held + this.#lead.rest());
    if (!this.#anyRoot) throw this.#unreadable(this.#begun ? 'no XML element' : 'nothing');
    if (this.#begun || cutInCharacter) this.#endDocument(cutInCharacter);
  }

  #nextDocument(): void {
    const lines = this.#parser.line - 1; // closing resets it
    if (this.#rootSeen) this.#endDocument(false);
    this.#linesBefore += lines;
    this.#parser = this.#newParser();
    this.#meter.nextDocument();
    this.#fedChars = 0;
    this.#rootSeen = false;
    this.#begun = false;
  }

  #endDocument(cutInCharacter: boolean): void {
    const isCut = this.#meter.depth > 0 || !this.#rootSeen || cutInCharacter;
    if (!isCut) {
      this.#parser.close();
      this.#handlers.end?.();
    } else if (this.#handlers.cut) this.#handlers.cut();
    else throw this.#unreadable('its end too early');
  }

  #feed(text: string): void {
    if (text === '') return;
    this.#begun ||= /\S/.test(text);
    const rest = this.#handlers.isTextUnread?.() === true ? this.#passing.restOf(text) : text;
    if (rest === '') return;
    this.#meter.fed(rest.length);
    this.#isFeeding = true;
    this.#parser.write(rest);
    this.#isFeeding = false;
    this.#passing.fed(rest, this.#fedChars);
    this.#fedChars += rest.length;
    this.#meter.checkSilence();
  }

  /**
   * Seven handlers and no more: each adds a property to the parser, and with an eighth V8 keeps its properties in a hash
   * table, in which every character costs four times as much (measured with Node 20, saxes 6.0).
   */
  #newParser(): SaxesParser {
    const parser = new SaxesParser();
    const meter = this.#meter;
    parser.on('error', (error) => {
      throw this.#unreadable(error.message.replace(/^[\d:\s]+|\.$/g, ''), { cause: error });
    });
    parser.on('doctype', (doctype) => {
      meter.heard();
      if (!isBareDoctype(doctype)) throw this.#unreadable('a document type with declarations');
    });
    parser.on('attribute', ({ value }) => meter.attribute(value.length));
    parser.on('opentag', ({ name, attributes }) => {
      this.#passing.tagEnds(parser.position);
      this.#open(name, attributes);
    });
    parser.on('closetag', ({ name }) => {
      this.#passing.tagEnds(parser.position);
      meter.close();
      this.#handlers.close?.(name);
    });
    const text = (piece: string): void => {
      meter.text(piece.length);
      if (meter.depth > 0) this.#handlers.text?.(piece);
    };
    parser.on('text', text);
    parser.on('cdata', text);
    return parser;
  }

  #open(name: string, attributes: XmlAttributes): void {
    if (!this.#rootSeen) this.#checkEncoding();
    this.#rootSeen = true;
    this.#anyRoot = true;
    this.#meter.open();
    this.#handlers.open(name, attributes);
  }

  #checkEncoding(): void {
    const { encoding } = this.#parser.xmlDecl;
    if (!this.#isLatin1 && !isReadableEncoding(encoding))
      throw this.#unreadable(`the encoding ${cleanLine(encoding ?? '', 40)}, where only UTF-8 is read,`, {
        at: this.#place?.() ?? `line ${this.#linesBefore + 1}`,
      });
  }

  /** Characters (UTF-16 units) of this document that were read. */
  get position(): number {
    // Between two pieces the parser counts the last one twice.
    return (this.#isFeeding ? this.#parser.position : this.#fedChars) + this.#passing.passed;
  }

  where(): string {
    if (this.#place) return this.#place();
    return `line ${this.#linesBefore + this.#passing.passedLines + this.#parser.line}, column ${this.#parser.column}`;
  }

  #unreadable(found: string, { at = this.where(), cause }: { at?: string; cause?: unknown } = {}): AppError {
    const message = `The ${this.#what} has ${cleanLine(found, 160)} at ${at}.`;
    return new AppError('report_unreadable', message, { cause });
  }
}
