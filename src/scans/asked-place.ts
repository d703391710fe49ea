import { parseAddress } from '../policy/address.ts';
import type { Wanted } from './search-places.ts';

/** A place that a scan says something of, as far as a question is about it. */
export interface AskedPlace {
  /** As the scan lists it. */
  readonly place: string;
  /** Other words for it: addresses of a name, names of an address. */
  readonly also: readonly string[];
  /** Set when only these other words are asked about; absent: the place by its own word. */
  readonly by?: readonly string[];
}

interface Known {
  readonly place: string;
  readonly also: readonly string[] | 'unknown';
}

/** Undefined when the question is not about the place. */
export function askedPlace({ place, also: words }: Known, wanted: Wanted): AskedPlace | undefined {
  const also = words === 'unknown' ? [] : words;
  if (wanted.everywhere || wanted.has(place)) return { place, also };
  const by = also.filter((word) => wanted.has(atPortOf(place, word)));
  return by.length === 0 ? undefined : { place, also, by };
}

/** Of a URL only its own port is meant, by whatever word. */
function atPortOf(place: string, word: string): string {
  if (!place.includes('://') || !URL.canParse(place)) return word;
  const { port, protocol } = new URL(place);
  return `${word.includes(':') ? `[${word}]` : word}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}

/**
 * What has to be proven for it. Who asks for an address asks for whatever is there by any name: the name that shares it
 * and the address as such. Who asks for a name does not ask for the address and its other names.
 */
export const wordsInQuestion = ({ place, by }: AskedPlace): readonly string[] =>
  by === undefined ? [place] : parseAddress(place) ? by : [...by, place];

/** Findings count at these: at a name, when all of its addresses are asked about, else at the ones that are. */
export const wordsClaimed = ({ place, also, by }: AskedPlace): readonly string[] =>
  by === undefined ? [place] : parseAddress(place) || by.length < also.length ? by : [...by, place];
