import type { RuleFacts } from '../../model/finding.ts';
import type { HostWords } from './occurrence.ts';
import type { PlainItem } from './plain-item.ts';

/** Bytes that stand in a report again and again, and the rule they say. */
export interface KnownItem {
  /** What must be equal: everything from behind the place to the end of the item, but for the words of the host. */
  readonly fixed: readonly Buffer[];
  /** The words of the host between two fixed parts; the last fixed part has none behind it. */
  readonly slots: readonly { readonly isCdata: boolean; readonly child: number }[];
  readonly rule: RuleFacts;
  readonly pluginId: string;
  readonly compliance: HostWords['compliance'];
  readonly isAudit: boolean;
  readonly key: number;
  /** What followed last time: the items of one host look much like those of the next. */
  follower: KnownItem | undefined;
}

export interface Match {
  readonly known: KnownItem;
  /** From and to of each slot. */
  readonly spans: readonly (readonly [from: number, to: number])[];
  /** Behind the item. */
  readonly end: number;
}

const CDATA_END = Buffer.from(']]>');
const LESS_THAN = 0x3c;

/** Long enough to hold severity and plugin id, which come next. */
const KEY_BYTES = 40;
/** Keys of items that were met once, by their last bits. */
const MOST_SEEN = 1 << 16;

/** One audit file holds hundreds of checks under one plugin id. */
const MOST_PER_KEY = 256;
const MOST_ITEM_BYTES = 64 << 10;

/**
 * Remembers items by their bytes. An item whose fixed parts are equal, byte for byte, to those of an item that was read
 * as well-formed is well-formed itself, if its place and the words of its host are: nothing else is in it. Memory is
 * bounded: the items not met for the longest time go first, and one is remembered when its key comes for the second time,
 * since what never comes again would be most of the work of the garbage collector.
 */
export class ItemCache {
  readonly #generationBytes: number;
  #young = new Map<number, KnownItem[]>();
  #old = new Map<number, KnownItem[]>();
  #bytes = 0;
  #last: KnownItem | undefined;
  readonly #seen = new Int32Array(MOST_SEEN);

  /** @param maxBytes of remembered parts, about */
  constructor(maxBytes: number) {
    this.#generationBytes = maxBytes / 2;
  }

  /** @param from behind the place of an item; `bytes` may end anywhere */
  find(bytes: Buffer, from: number): Match | undefined {
    const key = keyOf(bytes, from);
    const follower = this.#last?.follower;
    const match =
      (follower?.key === key ? matches(follower, bytes, from) : undefined) ?? this.#search(key, bytes, from);
    if (match) this.#follow(match.known);
    return match;
  }

  add(
    bytes: Buffer,
    start: number,
    end: number,
    item: PlainItem,
    known: Omit<KnownItem, 'fixed' | 'slots' | 'key' | 'follower'>,
  ): void {
    if (item.placeEnd === undefined || end - start > MOST_ITEM_BYTES) return;
    const from = start + item.placeEnd;
    const key = keyOf(bytes, from);
    if (!this.#isKnown(key)) return;
    const fixed: Buffer[] = [];
    let at = from;
    for (const slot of item.slots) {
      fixed.push(Buffer.from(bytes.subarray(at, start + slot.from)));
      at = start + slot.to;
    }
    fixed.push(Buffer.from(bytes.subarray(at, end)));
    // Written out: V8 gives an object that is made of a spread a shape of its own, and every look at these would miss.
    const made: KnownItem = {
      fixed,
      slots: item.slots,
      rule: known.rule,
      pluginId: known.pluginId,
      compliance: known.compliance,
      isAudit: known.isAudit,
      key,
      follower: undefined,
    };
    this.#remember(key, made, end - from);
    this.#follow(made);
  }

  /** Whether a key was met before, unless too many others were since. */
  #isKnown(key: number): boolean {
    const at = key % MOST_SEEN;
    if (this.#seen[at] === key) return true;
    this.#seen[at] = key;
    return false;
  }

  #search(key: number, bytes: Buffer, from: number): Match | undefined {
    const young = among(this.#young.get(key), bytes, from);
    if (young) return young;
    const old = among(this.#old.get(key), bytes, from);
    if (old) this.#remember(key, old.known, sizeOf(old.known));
    return old;
  }

  #remember(key: number, item: KnownItem, size: number): void {
    if (this.#bytes + size > this.#generationBytes) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#bytes = 0;
    }
    const items = this.#young.get(key) ?? [];
    items.push(item);
    if (items.length > MOST_PER_KEY) items.shift();
    this.#young.set(key, items);
    this.#bytes += size;
  }

  #follow(item: KnownItem): void {
    if (this.#last) this.#last.follower = item;
    this.#last = item;
  }
}

/** FNV-1a of the next bytes: no text is made of them only to look it up. Whatever has the same key is compared in full. */
function keyOf(bytes: Buffer, from: number): number {
  const to = Math.min(from + KEY_BYTES, bytes.length);
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash >>> 2; // a small integer
}

const sizeOf = ({ fixed }: KnownItem): number => fixed.reduce((sum, part) => sum + part.length, 0);

function among(items: readonly KnownItem[] | undefined, bytes: Buffer, from: number): Match | undefined {
  for (const item of items ?? []) {
    const match = matches(item, bytes, from);
    if (match) return match;
  }
  return undefined;
}

function matches(known: KnownItem, bytes: Buffer, from: number): Match | undefined {
  const { fixed, slots } = known;
  const spans: [number, number][] = [];
  let at = from;
  for (let index = 0; index < fixed.length; index += 1) {
    const part = fixed[index];
    if (!part || !isAt(part, bytes, at)) return undefined;
    at += part.length;
    const slot = slots[index];
    if (!slot) continue;
    const end = bytes.indexOf(slot.isCdata ? CDATA_END : LESS_THAN, at);
    if (end === -1) return undefined;
    spans.push([at, end]);
    at = end;
  }
  return { known, spans, end: at };
}

/** The last byte tells most that are unlike: items with an output and without, of one check, are of different length. */
function isAt(part: Buffer, bytes: Buffer, at: number): boolean {
  const end = at + part.length;
  if (end > bytes.length || bytes[end - 1] !== part[part.length - 1]) return false;
  return bytes.compare(part, 0, part.length, at, end) === 0;
}
