import { placeNameOf } from '../findings/place-labels.ts';
import { isLikeAddress, type Target } from '../model/target.ts';
import { overlap, parseAddress, single, type AddressRange } from '../policy/address.ts';
import { parseTarget, rangeOfTarget } from '../policy/target.ts';
import { overlaps } from './overlap.ts';

/** Which places a question is about. */
export interface Wanted {
  /** Nothing was named: every place there is. */
  readonly everywhere: boolean;
  has(place: string): boolean;
  /** Addresses that were named, when fewer of them can be known than were asked about. */
  readonly addresses: number;
  /** Words of which every place in question has one; absent where they are too many. */
  readonly words?: readonly string[];
  /** It was asked by address: places whose address is not known may be meant. */
  readonly isByAddress: boolean;
  /** One exact address was named: a look at it as such answers for it, whatever names it may have besides. */
  readonly isOneAddress: boolean;
}

interface Asked {
  readonly text: string;
  readonly read: Target;
}

/**
 * @param target,host As arguments have them; a place must meet both.
 * @throws AppError target_invalid for the target
 */
export function wantedPlaces(target: string | undefined, host: string | undefined): Wanted {
  const read = host === undefined ? undefined : placeTarget(host.trim());
  // An image or a file: a place that is called just so. What was meant as a host is refused where the filter is read.
  if (host !== undefined && read === undefined && !isLikeAddress(host)) {
    const rest = wantedPlaces(target, undefined);
    const name = placeNameOf(host);
    return {
      everywhere: false,
      has: (place) => placeNameOf(place) === name && rest.has(place),
      addresses: 0,
      words: [name],
      isByAddress: false,
      isOneAddress: false,
    };
  }
  const asked: readonly Asked[] = [
    ...(target === undefined ? [] : [{ text: target, read: parseTarget(target.trim()) }]),
    ...(host === undefined || read === undefined ? [] : [{ text: host, read }]),
  ];
  const tests = asked.map(createTest);
  const [words] = asked.map(wordsFor).filter((list) => list !== undefined);
  return {
    everywhere: asked.length === 0,
    has: (place) => tests.every((test) => test(place)),
    addresses: Math.max(0, ...asked.map(({ read }) => (read.kind === 'network' ? read.size : 0))),
    ...(words === undefined ? {} : { words }),
    isByAddress: asked.some(({ read }) => rangeOfTarget(read) !== undefined),
    isOneAddress: asked.some(({ read }) => read.kind === 'address'),
  };
}

/** Most places are addresses: they are told without being parsed as targets. */
function createTest({ text, read }: Asked): (place: string) => boolean {
  const range = rangeOfTarget(read);
  return (place) => {
    const address = parseAddress(place);
    if (address && range) return meets(single(address), range);
    if (place === text) return true;
    const there = placeTarget(place);
    return there !== undefined && overlaps(there, read);
  };
}

const meets = (a: AddressRange, b: AddressRange): boolean => overlap(a, b) !== undefined;

const LOOPBACK = ['127.0.0.1', '::1'];

/** What a place must be called, have in its URL or be known as. */
function wordsFor({ text, read }: Asked): readonly string[] | undefined {
  if (read.kind === 'network') return read.size === 1 ? withLoopback(read.first) : undefined;
  return [...new Set([text, read.text, ...withLoopback(read.kind === 'address' ? read.address : read.host)])];
}

function withLoopback(word: string): readonly string[] {
  if (word === 'localhost') return [word, ...LOOPBACK];
  return LOOPBACK.includes(word) ? [word, 'localhost'] : [word];
}

/** The host of a place that is more than a host: a URL, a host with a port. */
export function hostWord(place: string): string | undefined {
  const read = parseAddress(place) ? undefined : placeTarget(place);
  if (read === undefined || read.kind === 'network') return undefined;
  return read.kind === 'address' ? read.address : read.host;
}

/** Places of reports may be names of images and files. */
function placeTarget(place: string): Target | undefined {
  try {
    return parseTarget(place);
  } catch {
    return undefined;
  }
}

/** Whether a place can be a host: files and images are none. */
export const isHostName = (place: string): boolean =>
  parseAddress(place) !== undefined || placeTarget(place) !== undefined;

/** The port a target names: findings on other ports are not asked about. */
export function portOf(target: string | undefined): number | undefined {
  if (target === undefined) return undefined;
  const read = parseTarget(target.trim());
  return 'port' in read ? read.port : undefined;
}
