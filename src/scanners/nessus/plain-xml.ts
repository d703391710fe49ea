import { isUtf8 } from 'node:buffer';
import { isMarkAt, isPlainAscii, type Mark, type Window } from './plain-bytes.ts';

/**
 * The part of XML that exporters really write, read without a parser. Everything here answers `undefined` for what it
 * does not know, and then the real parser decides: nothing is accepted that it would refuse, nothing is read otherwise.
 */

/** Bytes of a report, and the same bytes as one character each, so that both have the same positions. */
export interface Region {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Where in `bytes` the text begins. */
  readonly start: number;
  readonly text: string;
  /** Nothing in `text` but printable ASCII, tab and newline. */
  readonly isPlain: boolean;
  readonly hasEntities: boolean;
  /** The first entity from some place on, as it was looked for last. */
  nextEntity: { readonly from: number; readonly at: number };
  /** Entities that may be any character. */
  readonly hasNumericEntities: boolean;
  /** `]]>` may stand nowhere but at the end of CDATA. */
  readonly hasCdataEnd: boolean;
}

const NOT_PLAIN = /[^\t\n\x20-\x7e]/;
const NOT_SEARCHED = { from: Infinity, at: -1 };

/** Carriage returns are allowed, but become newlines: not our business. */
// oxlint-disable-next-line no-control-regex -- exactly these are meant
const NOT_XML = /[\0-\x08\x0b-\x1f\ufffe\uffff]/;

export function regionOf(window: Window, start: number, end: number): Region {
  const text = window.bytes.toString('latin1', start, end);
  const hasEntities = text.includes('&');
  return {
    bytes: window.bytes,
    view: window.view,
    start,
    text,
    isPlain: isPlainAscii(window, start, end),
    hasEntities,
    nextEntity: NOT_SEARCHED,
    hasNumericEntities: hasEntities && text.includes('&#'),
    hasCdataEnd: text.includes(']]>'),
  };
}

/** Whether a text stands somewhere in the region. */
export const isAt = ({ view, start, text }: Region, mark: Mark, at: number): boolean =>
  isMarkAt(view, mark, start + at, start + text.length);

/** Values are mostly asked for in their order: then all of the text is searched once. */
function hasEntity(region: Region, from: number, to: number): boolean {
  if (!region.hasEntities) return false;
  const { nextEntity } = region;
  if (from < nextEntity.from || from > nextEntity.at) {
    const at = region.text.indexOf('&', from);
    region.nextEntity = { from, at: at === -1 ? Infinity : at };
  }
  return region.nextEntity.at < to;
}

/** Whether character data is surely as it should be. */
export const isPlainText = (region: Region, from: number, to: number): boolean =>
  region.isPlain && !region.hasCdataEnd && !hasEntity(region, from, to);

/** Character data between two tags, decoded. */
export function textOf(region: Region, from: number, to: number): string | undefined {
  if (region.hasCdataEnd && region.text.slice(from, to).includes(']]>')) return undefined;
  const text = cdataOf(region, from, to);
  return text !== undefined && hasEntity(region, from, to) ? withoutEntities(text) : text;
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
export const attributeOf = (region: Region, from: number, to: number): string | undefined =>
  isInOneLine(region, from, to) ? lineOf(region, from, to) : undefined;

/** Whether there is no `<`, tab or newline. */
export const isInOneLine = ({ text }: Region, from: number, to: number): boolean =>
  !/[<\t\n]/.test(text.slice(from, to));

/** The same where that is known of it. */
export function lineOf(region: Region, from: number, to: number): string | undefined {
  const text = cdataOf(region, from, to);
  return text?.includes('&') ? withoutEntities(text) : text;
}

/** Carriage returns are not plain. */
export function skipWhite(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === 32 || code === 10 || code === 9; code = text.charCodeAt(at)) at += 1;
  return at;
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);
const NUMERIC = /^#(?:(\d{1,7})|x([\da-fA-F]{1,6}))$/;
const MOST_ENTITY_CHARS = 8;

function withoutEntities(text: string): string | undefined {
  let decoded = '';
  let from = 0;
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', from)) {
    const end = text.indexOf(';', at);
    const char = end === -1 || end - at > MOST_ENTITY_CHARS + 1 ? undefined : characterOf(text.slice(at + 1, end));
    if (char === undefined) return undefined;
    decoded += text.slice(from, at) + char;
    from = end + 1;
  }
  return from === 0 ? text : decoded + text.slice(from);
}

/** @param entity what stands between `&` and `;` */
function characterOf(entity: string): string | undefined {
  const named = NAMED.get(entity);
  if (named !== undefined) return named;
  const [, decimal, hex = ''] = NUMERIC.exec(entity) ?? [];
  const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
  return isXmlCharacter(code) ? String.fromCodePoint(code) : undefined;
}

/** XML 1.0 section 2.2. */
const isXmlCharacter = (code: number): boolean =>
  code === 0x9 ||
  code === 0xa ||
  code === 0xd ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x10000 && code <= 0x10ffff);
