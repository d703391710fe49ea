import { itemPlace, type ItemPlace } from './occurrence.ts';

/** The bytes of place attributes and what they say. */
export interface KnownPlace {
  readonly bytes: Buffer;
  readonly place: ItemPlace;
}

const MOST_PLACES = 10_000;
/** `port`, `svc_name` and `protocol` of real items take some 60 bytes. */
const MOST_PLACE_BYTES = 200;
const QUOTE = 0x22;

/** The place attributes as they stand in nearly every item, with nothing in them that a parser would change. */
const PLACE = /^ port="(\d{1,5})" svc_name="([\w.:/?-]{1,64})" protocol="([a-z]{1,8})"$/;

/** Places by the bytes that say them: a report has few. */
export class Places {
  readonly #known = new Map<number, KnownPlace>();

  /** @returns undefined when what stands at `from` is not plainly a place */
  find(bytes: Buffer, from: number): KnownPlace | undefined {
    const most = Math.min(bytes.length, from + MOST_PLACE_BYTES);
    let quotes = 0;
    let hash = 0;
    let at = from;
    for (; at < most && quotes < 6; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) quotes += 1;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    if (quotes < 6) return undefined;
    const known = this.#known.get(hash);
    return known && isAt(known.bytes, bytes, from, at) ? known : this.#learn(hash, bytes, from, at);
  }

  #learn(hash: number, bytes: Buffer, from: number, to: number): KnownPlace | undefined {
    const [, port, service, protocol] = PLACE.exec(bytes.toString('latin1', from, to)) ?? [];
    const place = port === undefined ? undefined : itemPlace({ port, svc_name: service, protocol });
    if (!place) return undefined;
    if (this.#known.size >= MOST_PLACES) this.#known.clear();
    const known = { bytes: Buffer.from(bytes.subarray(from, to)), place };
    this.#known.set(hash, known);
    return known;
  }
}

function isAt(known: Buffer, bytes: Buffer, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let at = 0; at < known.length; at += 1) if (known[at] !== bytes[from + at]) return false;
  return true;
}
