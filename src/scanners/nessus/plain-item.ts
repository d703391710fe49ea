import { ChildNames, type ChildName } from './child-names.ts';
import { readPlainTag, readUsualTag } from './plain-tag.ts';
import { cdataOf, isPlainText, skipWhite, textOf, type Region } from './plain-xml.ts';
import { CHILD, isOfTheHost, noChildren, type RawItem } from './raw-item.ts';

/** Where the words of the host stand in an item, from the beginning of the item. */
export interface Slot {
  readonly from: number;
  readonly to: number;
  readonly isCdata: boolean;
  /** Number of the child. */
  readonly child: number;
}

/** An item read without a parser. */
export interface PlainItem {
  readonly raw: RawItem;
  /** Behind `port`, `svc_name` and `protocol`, if these came first and in this order. */
  readonly placeEnd: number | undefined;
  readonly slots: readonly Slot[];
}

export const ITEM_END = '</ReportItem>';
const CDATA = '<![CDATA[';
const CDATA_END = ']]>';
const MOST_CHILDREN = 5_000;
const MOST_VALUE_CHARS = 1 << 20;
const LESS_THAN = 0x3c;

interface Value {
  readonly from: number;
  readonly to: number;
  readonly isCdata: boolean;
}

/** Reads items without a parser. */
export class PlainItems {
  readonly #names = new ChildNames('ReportItem');

  /**
   * Reads `<ReportItem ...>` to `</ReportItem>`, which must be the whole region.
   * @param placeEnd Where the place ends, if it was recognised: then its attributes are left out.
   * @returns undefined for anything but plain attributes and children that hold text or one CDATA section each
   */
  read(region: Region, placeEnd: number | undefined): PlainItem | undefined {
    const usual = placeEnd === undefined ? undefined : readUsualTag(region, placeEnd);
    const tag = usual ?? readPlainTag(region);
    if (!tag) return undefined;
    const children = noChildren();
    const ofTheHost: Slot[] = [];
    const end = this.#children(region, tag.end, children, ofTheHost);
    if (end !== region.text.length) return undefined;
    // Whether it is an audit item, of which more is the host's, is known when all of it is.
    const isAudit = children[CHILD['compliance-check-name']] !== undefined;
    return {
      raw: { attributes: tag.attributes, children, isPlain: region.isPlain && !region.hasNumericEntities },
      placeEnd: tag.placeEnd,
      slots: ofTheHost.filter(({ child }) => isOfTheHost(child, isAudit)),
    };
  }

  /** @returns behind the closing tag of the item */
  #children(region: Region, from: number, children: (string[] | undefined)[], slots: Slot[]): number | undefined {
    const { text } = region;
    const names = this.#names;
    names.restart();
    let at = skipWhite(text, from);
    for (let count = 0; count < MOST_CHILDREN; count += 1) {
      const name = names.at(text, at);
      if (!name) return undefined;
      if (name === names.end) return at + ITEM_END.length;
      const value = valueAt(text, at + name.open.length);
      if (!value) return undefined;
      const close = value.isCdata ? value.to + CDATA_END.length : value.to;
      if (!text.startsWith(name.close, close)) return undefined;
      if (!isRead(region, name, value, children)) return undefined;
      const { child } = name;
      if (child !== undefined && isOfTheHost(child, true)) slots.push({ ...value, child });
      at = skipWhite(text, close + name.close.length);
    }
    return undefined;
  }
}

function valueAt(text: string, at: number): Value | undefined {
  const isCdata = text.charCodeAt(at) === LESS_THAN && text.startsWith(CDATA, at);
  const from = isCdata ? at + CDATA.length : at;
  const to = text.indexOf(isCdata ? CDATA_END : '<', from);
  return to === -1 || to - from > MOST_VALUE_CHARS ? undefined : { from, to, isCdata };
}

/** Decodes a value and puts it where it belongs; one that is not read is only looked at. False: not plain. */
function isRead(region: Region, { child }: ChildName, value: Value, children: (string[] | undefined)[]): boolean {
  const { from, to, isCdata } = value;
  if (child === undefined && isPlainText(region, from, to)) return true;
  const text = (isCdata ? cdataOf : textOf)(region, from, to);
  if (text === undefined) return false;
  if (child === undefined) return true;
  const values = children[child];
  if (values) values.push(text);
  else children[child] = [text];
  return true;
}
