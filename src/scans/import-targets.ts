import type { Place } from '../model/coverage.ts';
import { AppError } from '../model/errors.ts';
import type { ReportedHost } from '../findings/findings.ts';
import { formatRange, parseAddress, type Address, type AddressRange } from '../policy/address.ts';
import { parseTarget } from '../policy/target.ts';

/** As many as a run may have. */
const MOST_TARGETS = 1_000;

/** What stands for a report that names neither a host nor anything else. */
export const NOTHING_NAMED = 'unknown';

/**
 * What a report is about, as texts by which its scan is found: its addresses and host names, canonical; without any, the
 * names of its places (an image, a folder). Addresses that are too many become ranges, which may hold others between
 * them; names that are too many are left out.
 */
export function targetsOf(hosts: readonly ReportedHost[], places: readonly Place[]): readonly string[] {
  const addresses = unique(hosts.flatMap(({ address = '' }) => parseAddress(address.replace(/%.*$/s, '')) ?? []));
  const names = [...new Set(hosts.flatMap(({ name }) => canonicalName(name)))].toSorted();
  const room = Math.max(MOST_TARGETS - names.length, Math.min(addresses.length, MOST_TARGETS / 2));
  const targets = [...rangesOf(addresses, room).map(formatRange), ...names].slice(0, MOST_TARGETS).toSorted();
  if (targets.length > 0) return targets;
  const others = [...new Set(places.map(({ place }) => place))].filter((place) => place !== '').toSorted();
  return others.length > 0 ? others.slice(0, MOST_TARGETS) : [NOTHING_NAMED];
}

function canonicalName(name = ''): string[] {
  try {
    return name === '' ? [] : [parseTarget(name.replace(/\.$/, '')).text];
  } catch (error) {
    if (error instanceof AppError) return []; // no text that anybody could ask for
    throw error;
  }
}

const order = (a: Address, b: Address): number => a.family - b.family || (a.value < b.value ? -1 : 1);

function unique(addresses: readonly Address[]): readonly Address[] {
  const byValue = new Map(addresses.map((address) => [`${address.family} ${address.value}`, address]));
  return [...byValue.values()].toSorted(order);
}

/** At most `most` ranges: each address by itself when there is room, else joined over the smallest gaps. */
function rangesOf(sorted: readonly Address[], most: number): readonly AddressRange[] {
  const widest = sorted.length <= most ? -1n : gapToJoin(sorted, most);
  const ranges: { family: Address['family']; first: bigint; last: bigint }[] = [];
  for (const { family, value } of sorted) {
    const last = ranges.at(-1);
    if (last?.family === family && value - last.last <= widest) last.last = value;
    else ranges.push({ family, first: value, last: value });
  }
  return ranges;
}

/** The width of gap up to which neighbours must be joined so that `most` ranges remain. */
function gapToJoin(sorted: readonly Address[], most: number): bigint {
  const gaps = sorted.slice(1).flatMap((address, index) => {
    const before = sorted[index];
    return before?.family === address.family ? [address.value - before.value] : [];
  });
  const joins = sorted.length - most;
  return gaps.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))[Math.min(joins, gaps.length) - 1] ?? 1n;
}
