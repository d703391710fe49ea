import { ChildNames } from './child-names.ts';
import { readPlainTag, readUsualTag } from './plain-tag.ts';
import { cdataOf, isAt, isPlainText, skipWhite, textOf, type Region } from './plain-xml.ts';
import { addText, CHILD, isOfTheHost, noChildren, type ItemChildren, type RawItem } from './raw-item.ts';

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

/** Reads items without a parser. */
export class PlainItems {
  readonly #names = new ChildNames('ReportItem');
  /** The value that is being read: there are a dozen in every item, too many for an object each. */
  #from = 0;
  #to = 0;
  #isCdata = false;

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
      slots: isAudit ? ofTheHost : ofTheHost.filter(({ child }) => isOfTheHost(child, false)),
    };
  }

  /** @returns behind the closing tag of the item */
  #children(region: Region, from: number, children: ItemChildren, slots: Slot[]): number | undefined {
    const { text } = region;
    const names = this.#names;
    names.restart();
    let at = skipWhite(text, from);
    for (let count = 0; count < MOST_CHILDREN; count += 1) {
      const name = names.at(region, at);
      if (!name) return undefined;
      if (name === names.end) return at + ITEM_END.length;
      const close = this.#value(text, at + name.open.length);
      if (close === -1 || !isAt(region, name.close, close)) return undefined;
      if (!this.#isRead(region, name.child, children)) return undefined;
      if (name.isOfTheHost) this.#addSlot(slots, name.child);
      at = skipWhite(text, close + name.close.length);
    }
    return undefined;
  }

  /** @returns behind the value that begins at `at`, -1 for none that is plain */
  #value(text: string, at: number): number {
    this.#isCdata = text.charCodeAt(at) === LESS_THAN && text.startsWith(CDATA, at);
    this.#from = this.#isCdata ? at + CDATA.length : at;
    this.#to = text.indexOf(this.#isCdata ? CDATA_END : '<', this.#from);
    if (this.#to === -1 || this.#to - this.#from > MOST_VALUE_CHARS) return -1;
    return this.#isCdata ? this.#to + CDATA_END.length : this.#to;
  }

  /** Decodes the value and puts it where it belongs; one that is not read is only looked at. False: not plain. */
  #isRead(region: Region, child: number | undefined, children: ItemChildren): boolean {
    if (child === undefined && isPlainText(region, this.#from, this.#to)) return true;
    const text = (this.#isCdata ? cdataOf : textOf)(region, this.#from, this.#to);
    if (text === undefined) return false;
    if (child !== undefined) addText(children, child, text);
    return true;
  }

  #addSlot(slots: Slot[], child: number | undefined): void {
    if (child !== undefined) slots.push({ from: this.#from, to: this.#to, isCdata: this.#isCdata, child });
  }
}
