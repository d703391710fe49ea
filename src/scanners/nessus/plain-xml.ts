import { isUtf8 } from 'node:buffer';

/**
 * The part of XML that exporters really write, read without a parser. Everything here answers `undefined` for what it
 * does not know, and then the real parser decides: nothing is accepted that it would refuse, nothing is read otherwise.
 */

/** Bytes of a report, and the same bytes as one character each, so that both have the same positions. */
export interface Region {
  readonly bytes: Buffer;
  /** Where in `bytes` the text begins. */
  readonly start: number;
  readonly text: string;
  /** Nothing in `text` but printable ASCII, tab and newline. */
  readonly isPlain: boolean;
  readonly hasEntities: boolean;
  /** `]]>` may stand nowhere but at the end of CDATA. */
  readonly hasCdataEnd: boolean;
}

const NOT_PLAIN = /[^\t\n\x20-\x7e]/;
/** Carriage returns are allowed, but become newlines: not our business. */
// oxlint-disable-next-line no-control-regex -- exactly these are meant
const NOT_XML = /[\0-\x08\x0b-\x1f\ufffe\uffff]/;

export function regionOf(bytes: Buffer, start: number, end: number): Region {
  const text = bytes.toString('latin1', start, end);
  return {
    bytes,
    start,
    text,
    isPlain: !NOT_PLAIN.test(text),
    hasEntities: text.includes('&'),
    hasCdataEnd: text.includes(']]>'),
  };
}

/** Character data between two tags, decoded. */
export function textOf(region: Region, from: number, to: number): string | undefined {
  if (region.hasCdataEnd && region.text.slice(from, to).includes(']]>')) return undefined;
  const text = cdataOf(region, from, to);
  return region.hasEntities && text !== undefined ? withoutEntities(text) : text;
}

/** The inside of a CDATA section. */
export function cdataOf({ bytes, start, text, isPlain }: Region, from: number, to: number): string | undefined {
  const slice = text.slice(from, to);
  if (isPlain || !NOT_PLAIN.test(slice)) return slice;
  if (!isUtf8(bytes.subarray(start + from, start + to))) return undefined;
  const decoded = bytes.toString('utf8', start + from, start + to);
  return NOT_XML.test(decoded) ? undefined : decoded;
}

/** An attribute value in double quotes; white space other than blanks would be changed by a parser. */
export function attributeOf(region: Region, from: number, to: number): string | undefined {
  const raw = region.text.slice(from, to);
  if (/[<\t\n]/.test(raw)) return undefined;
  const text = cdataOf(region, from, to);
  return text?.includes('&') ? withoutEntities(text) : text;
}

/** Carriage returns are not plain. */
export function skipWhite(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === 32 || code === 10 || code === 9; code = text.charCodeAt(at)) at += 1;
  return at;
}

const ENTITY = /&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([\da-fA-F]{1,6}));/g;
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function withoutEntities(text: string): string | undefined {
  if (!text.includes('&')) return text;
  let isKnown = true;
  let ampersands = 0;
  const decoded = text.replace(ENTITY, (_, name?: string, decimal?: string, hex?: string) => {
    ampersands += 1;
    if (name !== undefined) return NAMED[name] ?? '';
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    if (isXmlCharacter(code)) return String.fromCodePoint(code);
    isKnown = false;
    return '';
  });
  return isKnown && ampersands === countOf('&', text) ? decoded : undefined;
}

function countOf(char: string, text: string): number {
  let count = 0;
  for (let at = text.indexOf(char); at !== -1; at = text.indexOf(char, at + 1)) count += 1;
  return count;
}

/** XML 1.0 section 2.2. */
const isXmlCharacter = (code: number): boolean =>
  code === 0x9 ||
  code === 0xa ||
  code === 0xd ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x10000 && code <= 0x10ffff);
