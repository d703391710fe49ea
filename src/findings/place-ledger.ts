import { mergeStatus } from '../model/coverage.ts';
import type { Place, PlaceStatus } from '../model/coverage.ts';
import type { PinnedTarget } from '../model/target.ts';
import { cleanLine } from '../model/untrusted.ts';
import { canonicalAddress } from './address-key.ts';

/** What one requested place became, out of everything the report said about it. */
interface Requested {
  /** Shown text: host name, canonical address or canonical URL. */
  readonly place: string;
  /** Addresses of a host name; a report may speak of each by itself. */
  readonly addresses: Set<string>;
  readonly said: Map<string, Place>;
  /** What was said of the place by its own name. */
  own: Place | undefined;
}

export interface PlaceLedger {
  /** Takes a word of the report. False when nobody asked for that place. */
  note(place: Place): boolean;
  /** The requested host name an address belongs to; the first by name when several share it. */
  hostOf(address: string): string | undefined;
  /** Every requested place with its final status, sorted by text. */
  settled(): Place[];
}

const NO_WORD = 'The report says nothing about it.';
const SHOWN_REASONS = 3;

const plainName = (text: string): string => text.toLowerCase().replace(/\.$/, '');

/** One spelling for every way a report may name a place. */
const nameOf = (text: string): string => canonicalAddress(text) ?? (text.includes('://') ? text : plainName(text));

/** The places a target asks for, as they are shown. */
function placesOf({ target, addresses }: PinnedTarget): readonly string[] {
  switch (target.kind) {
    case 'address':
      return [target.address];
    case 'network':
      return addresses;
    case 'host':
      return [target.host];
    case 'url':
      return [target.text];
  }
}

/**
 * Keeps what a report says about the places that were asked for. Several targets of one host are one place; a host
 * name is tested when all its pinned addresses are, because each was asked for.
 */
export function createPlaceLedger(targets: readonly PinnedTarget[]): PlaceLedger {
  const byName = new Map<string, Requested>();
  const byAddress = new Map<string, Set<Requested>>();
  const hostNames = new Map<string, string>();

  const request = (place: string): Requested => {
    const name = nameOf(place);
    const known = byName.get(name);
    if (known) return known;
    const made: Requested = { place: name, addresses: new Set(), said: new Map(), own: undefined };
    byName.set(name, made);
    return made;
  };

  const claim = (address: string, host: string): void => {
    const known = hostNames.get(address);
    if (known === undefined || host < known) hostNames.set(address, host);
  };

  const aliases = new Map<string, Requested>();
  for (const pinned of targets) {
    const { target } = pinned;
    for (const place of placesOf(pinned)) {
      const requested = request(place);
      if (target.kind !== 'network') aliases.set(target.text, requested);
    }
    if (target.kind === 'host') {
      const requested = request(target.host);
      for (const address of pinned.addresses) {
        requested.addresses.add(address);
        byAddress.set(address, (byAddress.get(address) ?? new Set()).add(requested));
        claim(address, requested.place);
      }
    }
    if (target.kind === 'url' && !target.isAddress) {
      for (const address of pinned.addresses) claim(address, plainName(target.host));
    }
  }

  return {
    note(place) {
      const name = nameOf(place.place);
      const own = byName.get(name) ?? aliases.get(place.place);
      if (own) own.own = merged(own.own, place);
      const hosts = byAddress.get(name);
      for (const host of hosts ?? []) host.said.set(name, merged(host.said.get(name), place));
      return own !== undefined || hosts !== undefined;
    },
    hostOf: (address) => hostNames.get(canonicalAddress(address) ?? address),
    settled: () =>
      [...byName.values()].map(settle).toSorted((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0)),
  };
}

function merged(before: Place | undefined, word: Place): Place {
  if (!before) return word;
  const reasons = [...new Set([before.reason, word.reason].flatMap((reason) => (reason ? reason.split('; ') : [])))];
  const status = mergeStatus(before.status, word.status);
  return {
    place: before.place,
    status,
    ...(reasons.length > 0 ? { reason: reasons.toSorted().slice(0, SHOWN_REASONS).join('; ') } : {}),
  };
}

/** Words about single addresses count only together: an address of the host without a word was not tested. */
function settle({ place, addresses, said, own }: Requested): Place {
  const words: [string, PlaceStatus, string | undefined][] = own ? [[place, own.status, own.reason]] : [];
  for (const address of addresses) {
    const word = said.get(address);
    if (word) words.push([address, word.status, word.reason]);
    else if (!own) words.push([address, 'not_tested', NO_WORD]);
  }
  const [first, ...rest] = words;
  if (!first) return { place, status: 'not_tested', reason: NO_WORD };
  const status = rest.reduce((all, [, next]) => mergeStatus(all, next), first[1]);
  if (status === 'tested') return { place, status };
  return { place, status, reason: reasonText(place, words) };
}

function reasonText(place: string, words: readonly (readonly [string, PlaceStatus, string | undefined])[]): string {
  const untested = words.filter(([, status]) => status !== 'tested');
  if (words.every(([, , reason]) => reason === NO_WORD)) return NO_WORD;
  const texts = untested
    .map(([name, status, reason]) => {
      const text = reason ?? `${status.replace('_', ' ')}, without a reason`;
      return name === place ? text : `${name}: ${text}`;
    })
    .toSorted();
  const more = texts.length > SHOWN_REASONS ? ` (and ${texts.length - SHOWN_REASONS} more)` : '';
  return cleanLine(`${texts.slice(0, SHOWN_REASONS).join('; ')}${more}`, 300);
}
