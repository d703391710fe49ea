import type { Place } from '../model/coverage.ts';
import type { PinnedTarget } from '../model/target.ts';
import { addressKey, canonicalAddress } from './address-key.ts';
import { hostOfUrl, plainHostName } from './host-keys.ts';
import type { HostKeys } from './host-keys.ts';
import { mergePlaces, settlePlace } from './place-merging.ts';

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
  /** Takes a host that a finding speaks of: for a report that nobody asked for anything, a place like any other. */
  noteFoundAt(host: Pick<HostKeys, 'name' | 'address' | 'label'>): void;
  /** The requested host name an address belongs to; the first by name when several share it. */
  hostOf(address: string): string | undefined;
  /** The report speaks of more places than can be kept. */
  isOver(): boolean;
  /** Every requested place with its final status, one by one: there may be a million. */
  settled(): IterableIterator<Place>;
  /** Which addresses were scanned for a requested name or URL. */
  pinned(): IterableIterator<{ readonly place: string; readonly address: string }>;
}

/** Of a report that nobody asked for anything. */
const MAX_REPORTED = 1_000_000;
const MAX_REPORTED_CHARS = 64 << 20;
const ONLY_FINDINGS = 'Only its findings speak of it; the report does not say what else was looked at there.';

/** One spelling for every way a report may name a place. */
const nameOf = (text: string): string => canonicalAddress(text) ?? (text.includes('://') ? text : plainHostName(text));

const WITH_PORT = /^(\[[^\]]+\]|[^:\s/]+):\d{1,5}$/;

/** What the host of a place is told by, however it is spelt: a name, an address, either with a port, a URL. */
function hostKeyOf(place: string): string {
  const host = hostOfUrl(place) ?? WITH_PORT.exec(place)?.[1] ?? place;
  return addressKey(host) ?? plainHostName(host);
}

const NO_ADDRESSES: ReadonlySet<string> = new Set();
const NO_WORDS: ReadonlyMap<string, Place> = new Map();

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
export function createPlaceLedger(targets: readonly PinnedTarget[] | 'as_reported'): PlaceLedger {
  return targets === 'as_reported' ? createReportedPlaces() : createRequestedPlaces(targets);
}

function createRequestedPlaces(targets: readonly PinnedTarget[]): PlaceLedger {
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
      for (const address of pinned.addresses) claim(address, plainHostName(target.host));
    }
  }

  return {
    note(place) {
      const name = nameOf(place.place);
      const own = byName.get(name) ?? aliases.get(place.place);
      if (own) own.own = mergePlaces(own.own, place);
      const hosts = byAddress.get(name);
      for (const host of hosts ?? []) host.said.set(name, mergePlaces(host.said.get(name), place));
      return own !== undefined || hosts !== undefined;
    },
    noteFoundAt: () => undefined,
    isOver: () => false,
    hostOf: (address) =>
      hostNames.size === 0 ? undefined : (hostNames.get(address) ?? hostNames.get(canonicalAddress(address) ?? '')),
    *settled() {
      for (const { place, own, addresses, said } of byName.values()) yield settlePlace(place, own, addresses, said);
    },
    *pinned() {
      for (const { target, addresses } of targets) {
        if (target.kind !== 'host' && target.kind !== 'url') continue;
        const place = nameOf(target.kind === 'host' ? target.host : target.text);
        for (const address of addresses) yield { place, address: canonicalAddress(address) ?? address };
      }
    },
  };
}

/** Places of a report made elsewhere: what it speaks of is what was asked for. */
function createReportedPlaces(): PlaceLedger {
  const places = new Map<string, Place>();
  /** Hosts of these places, also of URLs. */
  const hosts = new Set<string>();
  let chars = 0;
  const isOver = (): boolean => places.size > MAX_REPORTED || chars > MAX_REPORTED_CHARS;

  const put = (name: string, place: Place): void => {
    if (isOver()) return;
    chars += place.place.length + (place.reason?.length ?? 0);
    places.set(name, mergePlaces(places.get(name), { ...place, place: name }));
  };

  return {
    note(place) {
      put(nameOf(place.place), place);
      hosts.add(hostKeyOf(place.place));
      return true;
    },
    noteFoundAt({ name, address, label }) {
      const keys = [name, address].filter((key) => key !== undefined);
      if (keys.length === 0 || keys.some((key) => hosts.has(key))) return;
      put(label, { place: label, status: 'partial', reason: ONLY_FINDINGS });
    },
    hostOf: () => undefined,
    isOver,
    *settled() {
      for (const place of places.values()) yield settlePlace(place.place, place, NO_ADDRESSES, NO_WORDS);
    },
    // A report made elsewhere does not say what was asked for.
    *pinned() {},
  };
}
