import { markOf } from './plain-bytes.ts';
import { attributeOf, isAt, isInOneLine, lineOf, skipWhite, type Region } from './plain-xml.ts';
import { READ_ATTRIBUTES, type ItemAttributes } from './raw-item.ts';

export const ITEM_START = '<ReportItem';

/** `<ReportItem ...>` */
export interface OpenTag {
  readonly attributes: ItemAttributes;
  /** Behind `port`, `svc_name` and `protocol`, if these came first and in this order. */
  readonly placeEnd: number | undefined;
  /** Behind the `>`. */
  readonly end: number;
}

const NAME = /^[A-Za-z_][\w.:-]{0,99}$/;
const PLACE_ATTRIBUTES = ['port', 'svc_name', 'protocol'];
const MOST_ATTRIBUTES = 32;
const MOST_ATTRIBUTE_CHARS = 16 << 10;

/** @returns undefined for anything but plain attributes in double quotes */
export function readPlainTag(region: Region): OpenTag | undefined {
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

const USUAL = [' severity="', ' pluginID="', ' pluginName="', ' pluginFamily="'].map(markOf);

/**
 * The same for the tag as Nessus writes it, in which `port`, `svc_name` and `protocol` were recognised up to `placeEnd`
 * and are left out.
 */
export function readUsualTag(region: Region, placeEnd: number): OpenTag | undefined {
  const { text } = region;
  const values: string[] = [];
  let at = placeEnd;
  for (const before of USUAL) {
    const from = at + before.length;
    const close = isAt(region, before, at) ? text.indexOf('"', from) : -1;
    const value = close === -1 || close - from > MOST_ATTRIBUTE_CHARS ? undefined : lineOf(region, from, close);
    if (value === undefined) return undefined;
    values.push(value);
    at = close + 1;
  }
  const [severity, pluginID, pluginName, pluginFamily] = values;
  const isWhole = text.startsWith('>', at) && isInOneLine(region, placeEnd, at);
  return isWhole ? { attributes: { severity, pluginID, pluginName, pluginFamily }, placeEnd, end: at + 1 } : undefined;
}
