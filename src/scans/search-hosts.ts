import { parseAddress } from '../policy/address.ts';
import { wordsInQuestion } from './asked-place.ts';
import type { Detected } from './detection.ts';
import type { Hits } from './search-hits.ts';
import { isHostName } from './search-places.ts';
import type { Searched } from './search-scans.ts';
import { inSlices } from './slices.ts';

/** Numbers of hosts, where the words of one host count once. */
export interface HostCounts {
  /** Hosts in question that were looked at, and those beside them that findings speak of. */
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
  const { looked, listed, having } = await wordsOf(searched, hits);
  const hostOf = await hostsByWord(searched, { looked, listed });
  const havingHosts = new Set([...having].map(hostOf));
  const hosts = new Set<string>();
  const blind = new Set<string>();
  let areHosts = true;
  for await (const slice of inSlices(looked)) {
    for (const word of slice) {
      const host = hostOf(word);
      hosts.add(host);
      areHosts &&= isHostName(word);
      if (!detected.places.has(word) && !havingHosts.has(host)) blind.add(host);
    }
  }
  // Where something was found somebody looked, whether the report lists the place or not.
  const others = [...hits.places].filter((place) => place !== '' && !listed.has(place));
  return {
    looked: hosts.size + others.length,
    couldDetect: hosts.size - blind.size + others.length,
    having: havingHosts.size + others.length,
    unseen: searched.inQuestion - looked.size,
    areHosts: areHosts && others.every(isHostName),
  };
}

interface Words {
  readonly looked: ReadonlySet<string>;
  /** Places as scans list them. */
  readonly listed: ReadonlySet<string>;
  /** Where there is a match. */
  readonly having: ReadonlySet<string>;
}

async function wordsOf({ scans }: Searched, hits: Hits): Promise<Words> {
  const [looked, listed, having] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const { places } of scans) {
    for await (const slice of inSlices(places)) {
      for (const asked of slice) {
        listed.add(asked.place);
        for (const word of wordsInQuestion(asked)) {
          looked.add(word);
          if (hits.places.has(asked.place)) having.add(word);
        }
      }
    }
  }
  return { looked, listed, having };
}

/** A name and its address are one host: the address where a scan lists it, else the name. */
async function hostsByWord(
  { scans }: Searched,
  { looked, listed }: Omit<Words, 'having'>,
): Promise<(word: string) => string> {
  const addressOf = new Map<string, string>();
  const placeOf = new Map<string, string>();
  for (const { places } of scans) {
    for await (const slice of inSlices(places)) {
      for (const { place, also } of slice) {
        const isAddress = also.length > 0 && parseAddress(place) !== undefined;
        for (const other of also) {
          if (listed.has(other)) addressOf.set(isAddress ? other : place, isAddress ? place : other);
          else if (looked.has(other) && !placeOf.has(other)) placeOf.set(other, place);
        }
      }
    }
  }
  return (word) => {
    const place = placeOf.get(word) ?? word;
    return addressOf.get(place) ?? place;
  };
}
