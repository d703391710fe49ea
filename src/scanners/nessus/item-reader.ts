import type { HostReader } from './host.ts';
import { ItemCache, type Match } from './item-cache.ts';
import { complianceOf, hostWords, hostWordsOf, itemPlace, type HostWords, type ItemPlace } from './occurrence.ts';
import { ITEM_END, ITEM_START, readPlainItem } from './plain-item.ts';
import { cdataOf, regionOf, textOf } from './plain-xml.ts';
import { first, isCompliance } from './raw-item.ts';
import type { NessusReader } from './reader.ts';
import { ruleOf } from './rule.ts';

const START = Buffer.from(ITEM_START);
const END = Buffer.from(ITEM_END);
const QUOTE = 0x22;

const MAX_CACHE_BYTES = 16 << 20;
const MOST_PLACES = 10_000;
/** `port`, `svc_name` and `protocol` of real items take some 60 bytes. */
const MOST_PLACE_BYTES = 200;

/** The place attributes as they stand in nearly every item, with nothing in them that a parser would change. */
const PLACE = /^ port="(\d{1,5})" svc_name="([\w.:/?-]{1,64})" protocol="([a-z]{1,8})"$/;

/** Reads items from bytes without the XML parser: known ones by comparison, others if they are plain. */
export class ItemReader {
  readonly #reader: NessusReader;
  readonly #cache = new ItemCache(MAX_CACHE_BYTES);
  readonly #places = new Map<string, ItemPlace>();
  /** No item ends before this byte of the stream: what was searched in vain is not searched again. */
  #searchedTo = 0;

  constructor(reader: NessusReader) {
    this.#reader = reader;
  }

  /**
   * Reads the item that begins at `at`, which must be between two tags of the host.
   * @param before bytes of the stream before `bytes`
   * @returns where it ends; `cut`: `bytes` end before it does; `other`: only the XML parser can read it
   */
  read(host: HostReader, bytes: Buffer, at: number, before: number): number | 'cut' | 'other' {
    const placeFrom = at + ITEM_START.length;
    const placeEnd = endOfPlace(bytes, placeFrom);
    const place = placeEnd === -1 ? undefined : this.#place(bytes.toString('latin1', placeFrom, placeEnd));
    if (place) {
      const match = this.#cache.find(bytes, placeEnd);
      const words = match && wordsOf(match, bytes);
      if (match && words) {
        this.#reader.found(host, match.known.rule, match.known.pluginId, place, words);
        return match.end;
      }
    }
    const end = bytes.indexOf(END, Math.max(at, this.#searchedTo - before - END.length));
    if (end === -1) {
      this.#searchedTo = before + bytes.length;
      return 'cut';
    }
    // Another item begins before this one ends: it has no closing tag of its own, or is no item.
    const next = bytes.indexOf(START, at + START.length);
    if (next !== -1 && next < end) return 'other';
    return this.#readPlain(host, bytes, at, end + END.length);
  }

  #readPlain(host: HostReader, bytes: Buffer, at: number, end: number): number | 'other' {
    const item = readPlainItem(regionOf(bytes, at, end));
    const place = item && itemPlace(item.raw.attributes);
    if (!item || !place) return 'other';
    const rule = ruleOf(item.raw);
    const pluginId = (item.raw.attributes['pluginID'] ?? '').trim();
    this.#cache.add(bytes, at, end, item, {
      rule,
      pluginId,
      compliance: complianceOf(first(item.raw, 'compliance-result')),
      isAudit: isCompliance(item.raw),
    });
    this.#reader.found(host, rule, pluginId, place, hostWordsOf(item.raw));
    return end;
  }

  /** @returns undefined when the text is not plainly a place */
  #place(text: string): ItemPlace | undefined {
    const known = this.#places.get(text);
    if (known) return known;
    const [, port, service, protocol] = PLACE.exec(text) ?? [];
    if (port === undefined) return undefined;
    const place = itemPlace({ port, svc_name: service, protocol });
    if (!place) return undefined;
    if (this.#places.size >= MOST_PLACES) this.#places.clear();
    this.#places.set(text, place);
    return place;
  }
}

/** Behind the third attribute value, if there are that many. */
function endOfPlace(bytes: Buffer, from: number): number {
  const most = Math.min(bytes.length, from + MOST_PLACE_BYTES);
  let quotes = 0;
  for (let at = from; at < most; at += 1) {
    if (bytes[at] !== QUOTE) continue;
    quotes += 1;
    if (quotes === 6) return at + 1;
  }
  return -1;
}

/** @returns undefined when they are not plain text: then the item is read in full */
function wordsOf({ known, spans }: Match, bytes: Buffer): HostWords | undefined {
  const { slots, isAudit, compliance } = known;
  const texts: string[] = [];
  for (let index = 0; index < slots.length; index += 1) {
    const [from, to] = spans[index] ?? NOWHERE;
    const region = regionOf(bytes, from, to);
    const text = slots[index]?.isCdata ? cdataOf(region, 0, to - from) : textOf(region, 0, to - from);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  // Nearly all items: no audit, and one output or none.
  if (!isAudit && compliance === undefined) return texts[0] ? { output: texts[0] } : NO_WORDS;
  return hostWords((name) => texts[slots.findIndex((slot) => slot.name === name)], isAudit, compliance);
}

const NOWHERE = [0, 0] as const;
const NO_WORDS: HostWords = {};
