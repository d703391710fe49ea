import type { Target } from '../model/target.ts';
import { parseTarget } from '../policy/target.ts';
import { overlaps } from './overlap.ts';

/** Which places a question is about. */
export interface Wanted {
  /** Nothing was named: every place there is. */
  readonly everywhere: boolean;
  has(place: string): boolean;
  /** Addresses that were named, when fewer of them can be known than were asked about. */
  readonly addresses: number;
}

/**
 * @param target,host As arguments have them; a place must meet both.
 * @throws AppError target_invalid for the target
 */
export function wantedPlaces(target: string | undefined, host: string | undefined): Wanted {
  const asked = [
    ...(target === undefined ? [] : [{ text: target, read: parseTarget(target.trim()) }]),
    // What is no host is refused where the filter is read.
    ...(host === undefined ? [] : [{ text: host, read: placeTarget(host.trim()) }]),
  ].flatMap(({ text, read }) => (read ? [{ text, read }] : []));
  return {
    everywhere: asked.length === 0,
    has(place) {
      const there = placeTarget(place);
      return asked.every(({ text, read }) => place === text || (there !== undefined && overlaps(there, read)));
    },
    addresses: Math.max(0, ...asked.map(({ read }) => (read.kind === 'network' ? read.size : 0))),
  };
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
export const isHostName = (place: string): boolean => placeTarget(place) !== undefined;

/** The port a target names: findings on other ports are not asked about. */
export function portOf(target: string | undefined): number | undefined {
  if (target === undefined) return undefined;
  const read = parseTarget(target.trim());
  return 'port' in read ? read.port : undefined;
}
