import { parseAddress } from '../policy/address.ts';
import { wordsInQuestion } from './asked-place.ts';
import type { Detected } from './detection.ts';
import type { Hits } from './search-hits.ts';
import { isHostName } from './search-places.ts';
import type { Searched } from './search-scans.ts';
import { inSlices } from './slices.ts';

/** Numbers of hosts, where the words of one host count once. */
export interface HostCounts {
  /** Hosts in question that were looked at. */
  readonly looked: number;
  /** Of these, where it was found, or a check for it is proven to have run. */
  readonly couldDetect: number;
  /** Hosts with a match. */
  readonly having: number;
  /** Words in question that nobody looked at. */
  readonly unseen: number;
  /** No files or images are among them. */
  readonly areHosts: boolean;
}

export async function countHosts(searched: Searched, hits: Hits, detected: Detected): Promise<HostCounts> {
  const looked = new Set<string>();
  const having = new Set<string>();
  const listed = new Set<string>();
  for (const { places } of searched.scans) {
    for await (const slice of inSlices(places)) {
      for (const asked of slice) {
        const words = wordsInQuestion(asked);
        for (const word of words) looked.add(word);
        if (!hits.places.has(asked.place)) continue;
        listed.add(asked.place);
        for (const word of words) having.add(word);
      }
    }
  }
  const hostOf = await hostsByName(searched, looked);
  const havingHosts = new Set([...having].map(hostOf));
  const blind = new Set<string>();
  let [hosts, areHosts] = [0, true];
  for await (const slice of inSlices([...looked])) {
    for (const word of slice) {
      const host = hostOf(word);
      if (host === word) hosts += 1;
      areHosts &&= isHostName(word);
      if (!detected.places.has(word) && !havingHosts.has(host)) blind.add(host);
    }
  }
  const others = [...hits.places].filter((place) => !listed.has(place));
  return {
    looked: hosts,
    couldDetect: hosts - blind.size,
    having: havingHosts.size + others.filter((place) => place !== '').length,
    unseen: searched.inQuestion - looked.size,
    areHosts: areHosts && others.every(isHostName),
  };
}

/** A name and its address are one host where both were looked at. */
async function hostsByName({ scans }: Searched, looked: ReadonlySet<string>): Promise<(word: string) => string> {
  const addressOf = new Map<string, string>();
  for (const { places } of scans) {
    for await (const slice of inSlices(places)) {
      for (const { place, also } of slice) {
        const isAddress = also.length > 0 && parseAddress(place) !== undefined;
        for (const other of also) {
          const [name, address] = isAddress ? [other, place] : [place, other];
          if (looked.has(name) && looked.has(address)) addressOf.set(name, address);
        }
      }
    }
  }
  return (word) => addressOf.get(word) ?? word;
}
