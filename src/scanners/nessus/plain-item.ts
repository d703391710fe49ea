import { attributeOf, cdataOf, skipWhite, textOf, type Region } from './plain-xml.ts';
import { isOfTheHost, READ_ATTRIBUTES, readName, type RawItem } from './raw-item.ts';

/** Where the words of the host stand in an item, from the beginning of the item. */
export interface Slot {
  readonly from: number;
  readonly to: number;
  readonly isCdata: boolean;
  /** Local name of the child. */
  readonly name: string;
}

/** An item read without a parser. */
export interface PlainItem {
  readonly raw: RawItem;
  /** Behind `port`, `svc_name` and `protocol`, if these came first and in this order. */
  readonly placeEnd: number | undefined;
  readonly slots: readonly Slot[];
}

export const ITEM_START = '<ReportItem';
export const ITEM_END = '</ReportItem>';
const CDATA = '<![CDATA[';
const CDATA_END = ']]>';
const PLACE_ATTRIBUTES = ['port', 'svc_name', 'protocol'];
const MOST_ATTRIBUTES = 32;
const MOST_CHILDREN = 5_000;
const MOST_VALUE_CHARS = 1 << 20;
const MOST_ATTRIBUTE_CHARS = 16 << 10;

const NAME = /^[A-Za-z_][\w.:-]{0,99}$/;

interface OpenTag {
  readonly attributes: Record<string, string>;
  readonly placeEnd: number | undefined;
  /** Behind the `>`. */
  readonly end: number;
}

interface Child {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly isCdata: boolean;
  /** Behind the closing tag. */
  readonly end: number;
}

/**
 * Reads `<ReportItem ...>` to `</ReportItem>`, which must be the whole region.
 * @returns undefined for anything but plain attributes and children that hold text or one CDATA section each
 */
export function readPlainItem(region: Region): PlainItem | undefined {
  const tag = readTag(region);
  if (!tag) return undefined;
  const children = new Map<string, string[]>();
  const ofTheHost: Slot[] = [];
  const end = readChildren(region, tag.end, (child, value) => {
    const local = readName(child.name);
    if (local === undefined) return;
    const values = children.get(local);
    if (values) values.push(value);
    else children.set(local, [value]);
    // Whether it is an audit item, of which more is the host's, is known when all of it is.
    if (isOfTheHost(local, true)) ofTheHost.push({ ...child, name: local });
  });
  if (end === undefined || end + ITEM_END.length !== region.text.length) return undefined;
  const isAudit = children.has('compliance-check-name');
  return {
    raw: { attributes: tag.attributes, children },
    placeEnd: tag.placeEnd,
    slots: ofTheHost.filter(({ name }) => isOfTheHost(name, isAudit)),
  };
}

function readTag(region: Region): OpenTag | undefined {
  const { text } = region;
  const attributes: Record<string, string> = {};
  const names: string[] = [];
  let placeEnd: number | undefined;
  let at = ITEM_START.length;
  for (let count = 0; count < MOST_ATTRIBUTES; count += 1) {
    const from = skipWhite(text, at);
    if (text[from] === '>') return { attributes, placeEnd, end: from + 1 };
    const attribute = from === at ? undefined : attributeAt(region, from);
    if (!attribute || names.includes(attribute.name)) return undefined;
    names.push(attribute.name);
    if (READ_ATTRIBUTES.has(attribute.name)) attributes[attribute.name] = attribute.value;
    at = attribute.end;
    if (names.length === PLACE_ATTRIBUTES.length && isPlace(names)) placeEnd = at;
  }
  return undefined;
}

const isPlace = (names: readonly string[]): boolean => names.every((name, index) => name === PLACE_ATTRIBUTES[index]);

function attributeAt(region: Region, from: number): { name: string; value: string; end: number } | undefined {
  const { text } = region;
  const equals = text.indexOf('="', from);
  const close = text.indexOf('"', equals + 2);
  if (equals === -1 || close === -1 || close - from > MOST_ATTRIBUTE_CHARS) return undefined;
  const name = text.slice(from, equals);
  const value = NAME.test(name) ? attributeOf(region, equals + 2, close) : undefined;
  return value === undefined ? undefined : { name, value, end: close + 1 };
}

/** @returns where the closing tag of the item begins */
function readChildren(region: Region, from: number, hear: (child: Child, value: string) => void): number | undefined {
  const { text } = region;
  let at = skipWhite(text, from);
  for (let count = 0; count < MOST_CHILDREN; count += 1) {
    if (text.startsWith(ITEM_END, at)) return at;
    const child = childAt(text, at);
    if (!child || child.to - child.from > MOST_VALUE_CHARS) return undefined;
    const value = (child.isCdata ? cdataOf : textOf)(region, child.from, child.to);
    if (value === undefined) return undefined;
    hear(child, value);
    at = skipWhite(text, child.end);
  }
  return undefined;
}

function childAt(text: string, at: number): Child | undefined {
  const close = text.indexOf('>', at);
  if (text[at] !== '<' || close === -1 || close - at > 101) return undefined;
  const name = text.slice(at + 1, close);
  if (!NAME.test(name)) return undefined;
  const isCdata = text.startsWith(CDATA, close + 1);
  const from = isCdata ? close + 1 + CDATA.length : close + 1;
  const to = text.indexOf(isCdata ? CDATA_END : '<', from);
  if (to === -1) return undefined;
  const end = closed(text, name, isCdata ? to + CDATA_END.length : to);
  return end === undefined ? undefined : { name, from, to, isCdata, end };
}

/** @returns behind `</name>` if that stands there */
function closed(text: string, name: string, at: number): number | undefined {
  const end = at + name.length + 3;
  return text.startsWith('</', at) && text.startsWith(name, at + 2) && text[end - 1] === '>' ? end : undefined;
}
