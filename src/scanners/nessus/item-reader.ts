import type { HostReader } from './host.ts';
import { ItemCache, type Match } from './item-cache.ts';
import { complianceOf, hostWords, hostWordsOf, itemPlace, outputWords } from './occurrence.ts';
import type { HostWords, ItemPlace } from './occurrence.ts';
import type { Window } from './plain-bytes.ts';
import { ITEM_END, PlainItems } from './plain-item.ts';
import { ITEM_START } from './plain-tag.ts';
import { Places } from './places.ts';
import { cdataOf, regionOf, textOf } from './plain-xml.ts';
import { CHILD, first, isCompliance } from './raw-item.ts';
import type { NessusReader } from './reader.ts';
import { ruleOf } from './rule.ts';

const START = Buffer.from(ITEM_START);
const END = Buffer.from(ITEM_END);
/** Most are shorter. */
const USUAL_ITEM_BYTES = 16 << 10;

const MAX_CACHE_BYTES = 16 << 20;

/** An item in the bytes that are held. */
interface Span {
  readonly at: number;
  readonly end: number;
  /** If it was recognised; `placeEnd` from the beginning of the item. */
  readonly place: ItemPlace | undefined;
  readonly placeEnd: number | undefined;
}

/** Reads items from bytes without the XML parser: known ones by comparison, others if they are plain. */
export class ItemReader {
  readonly #reader: NessusReader;
  readonly #cache = new ItemCache(MAX_CACHE_BYTES);
  readonly #items = new PlainItems();
  readonly #places = new Places();
  readonly #ends = new ItemEnds();

  constructor(reader: NessusReader) {
    this.#reader = reader;
  }

  /**
   * Reads the item that begins at `at`, which must be between two tags of the host.
   * @param before bytes of the stream before `bytes`
   * @returns where it ends; `cut`: `bytes` end before it does; `other`: only the XML parser can read it
   */
  read(host: HostReader, window: Window, at: number, before: number): number | 'cut' | 'other' {
    const { bytes } = window;
    const placeFrom = at + ITEM_START.length;
    const known = this.#places.find(bytes, placeFrom);
    const place = known?.place;
    const placeEnd = placeFrom + (known?.bytes.length ?? 0);
    if (place) {
      const match = this.#cache.find(bytes, placeEnd);
      const words = match && saidIn(match, window);
      if (match && words) {
        this.#reader.found(host, match.known.rule, match.known.pluginId, place, words);
        return match.end;
      }
    }
    const end = this.#ends.find(bytes, at, before);
    if (end === -1) return 'cut';
    // Another item begins before this one ends: it has no closing tag of its own, or is no item. Only where decoding all
    // of it only to see that would be too much work: a report may have many of these.
    if (end - at > USUAL_ITEM_BYTES && isWithin(bytes, START, at + START.length, end)) return 'other';
    return this.#readPlain(host, window, { at, end, place, placeEnd: place && placeEnd - at });
  }

  #readPlain(host: HostReader, window: Window, span: Span): number | 'other' {
    const { at, end } = span;
    const item = this.#items.read(regionOf(window, at, end), span.placeEnd);
    const place = span.place ?? (item && itemPlace(item.raw.attributes));
    if (!item || !place) return 'other';
    const rule = ruleOf(item.raw);
    const pluginId = (item.raw.attributes['pluginID'] ?? '').trim();
    this.#cache.add(window.bytes, at, end, item, {
      rule,
      pluginId,
      compliance: complianceOf(first(item.raw, CHILD['compliance-result'])),
      isAudit: isCompliance(item.raw),
    });
    this.#reader.found(host, rule, pluginId, place, hostWordsOf(item.raw));
    return end;
  }
}

/** Where items end. What was searched once is not searched again, whatever begins there. */
class ItemEnds {
  /** Byte of the stream before which no item ends. */
  #searchedTo = 0;
  /** Byte of the stream behind the end found last; none other ends between `#foundFrom` and it. */
  #found = 0;
  #foundFrom = 0;

  /** @returns behind the first end after `at`, -1 when there is none */
  find(bytes: Buffer, at: number, before: number): number {
    if (before + at >= this.#foundFrom && before + at + END.length <= this.#found) return this.#found - before;
    const found = bytes.indexOf(END, Math.max(at, this.#searchedTo - before - END.length));
    if (found === -1) {
      this.#searchedTo = before + bytes.length;
      return -1;
    }
    this.#foundFrom = before + at;
    this.#found = before + found + END.length;
    return found + END.length;
  }
}

function isWithin(bytes: Buffer, what: Buffer, from: number, to: number): boolean {
  const at = bytes.indexOf(what, from);
  return at !== -1 && at < to;
}

/** @returns undefined when they are not plain text: then the item is read in full */
function saidIn({ known, spans }: Match, window: Window): HostWords | undefined {
  const { slots, isAudit, compliance } = known;
  const texts: string[] = [];
  let isPlain = true;
  for (let index = 0; index < slots.length; index += 1) {
    const [from, to] = spans[index] ?? NOWHERE;
    const region = regionOf(window, from, to);
    const text = slots[index]?.isCdata ? cdataOf(region, 0, to - from) : textOf(region, 0, to - from);
    if (text === undefined) return undefined;
    isPlain &&= region.isPlain && !region.hasNumericEntities;
    texts.push(text);
  }
  if (!isAudit && compliance === undefined) return outputWords(texts[0], isPlain);
  return hostWords((child) => texts[slots.findIndex((slot) => slot.child === child)], isAudit, compliance);
}

const NOWHERE = [0, 0] as const;
