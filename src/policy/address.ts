import { isIP } from 'node:net';

/**
 * Address arithmetic on big integers. Text is only ever read after `net.isIP` accepted it: ipaddr.js and netmask also
 * read octal, hexadecimal and short forms, and `net.BlockList` answers "not listed" for text it cannot read.
 */
export type Family = 4 | 6;

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** Every address from `first` to `last`, both included. One address is a range of one. */
export interface AddressRange {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

export const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

/** `::ffff:0:0/96`, IPv4-mapped IPv6 (RFC 4291, 2.5.5.2): the same host as the IPv4 address in its low 32 bits. */
const MAPPED_PREFIX = 0xffffn;
const LOW_32 = 0xffff_ffffn;

/** Reads one plain address; IPv4-mapped IPv6 is unwrapped. Undefined for every other text, a zone (`%`) included. */
export function parseAddress(text: string): Address | undefined {
  if (text.includes('%')) return undefined;
  const kind = isIP(text);
  if (kind === 4) return { family: 4, value: ipv4Value(text) };
  if (kind !== 6) return undefined;
  const value = ipv6Value(text);
  return value >> 32n === MAPPED_PREFIX ? { family: 4, value: value & LOW_32 } : { family: 6, value };
}

const ipv4Value = (text: string): bigint =>
  text.split('.').reduce((value, part) => (value << 8n) | BigInt(Number(part)), 0n);

function ipv6Value(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const front = groupsOf(head);
  const back = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => 0n);
  return [...front, ...zeros, ...back].reduce((value, group) => (value << 16n) | group, 0n);
}

/** The 16-bit groups of one side of `::`; a dotted quad at the end counts as two. */
function groupsOf(side: string): bigint[] {
  if (side === '') return [];
  return side.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)];
    const quad = ipv4Value(group);
    return [quad >> 16n, quad & 0xffffn];
  });
}

/** Canonical text: dotted quad, or RFC 5952 without a dotted quad. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  const { start, length } = longestZeroRun(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zero groups (RFC 5952, 4.2.3). */
function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== '0') start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}

export const single = ({ family, value }: Address): AddressRange => ({ family, first: value, last: value });

/** The network of a prefix length, host bits masked. `prefix` is within the family's bounds. */
export function networkOf({ family, value }: Address, prefix: number): AddressRange {
  const hostBits = BigInt(bitsOf(family) - prefix);
  const first = (value >> hostBits) << hostBits;
  return { family, first, last: first | ((1n << hostBits) - 1n) };
}

/**
 * Reads `address/prefix`. An IPv4-mapped network of at least /96 is the IPv4 network; a wider one holds other
 * addresses too and stays IPv6. Undefined for any other text.
 */
export function parseNetwork(text: string): AddressRange | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  if (!match?.[1]) return undefined;
  const address = parseAddress(match[1]);
  if (!address) return undefined;
  const prefix = Number(match[2]);
  const written = isIP(match[1]) === 4 ? 4 : 6;
  if (prefix > bitsOf(written)) return undefined;
  if (written === address.family) return networkOf(address, prefix);
  if (prefix >= 96) return networkOf(address, prefix - 96);
  return networkOf({ family: 6, value: (MAPPED_PREFIX << 32n) | address.value }, prefix);
}

/** For tables in source code. @throws TypeError when the text is no CIDR or address. */
export function range(text: string): AddressRange {
  const address = parseAddress(text);
  const found = address ? single(address) : parseNetwork(text);
  if (!found) throw new TypeError(`${text} is no address or CIDR.`);
  return found;
}

export const contains = (outer: AddressRange, inner: AddressRange): boolean =>
  outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;

/** What two ranges share; undefined when that is nothing. */
export function overlap(a: AddressRange, b: AddressRange): AddressRange | undefined {
  if (a.family !== b.family) return undefined;
  const first = a.first > b.first ? a.first : b.first;
  const last = a.last < b.last ? a.last : b.last;
  return first <= last ? { family: a.family, first, last } : undefined;
}

export const isSingle = ({ first, last }: AddressRange): boolean => first === last;
export const countOf = ({ first, last }: AddressRange): bigint => last - first + 1n;
export const firstOf = ({ family, first }: AddressRange): string => formatAddress({ family, value: first });
export const lastOf = ({ family, last }: AddressRange): string => formatAddress({ family, value: last });

/** Canonical text: an address, a CIDR where the range is one, else `first-last`. */
export function formatRange(subject: AddressRange): string {
  if (isSingle(subject)) return firstOf(subject);
  const size = countOf(subject);
  const isPowerOfTwo = (size & (size - 1n)) === 0n;
  if (!isPowerOfTwo || subject.first % size !== 0n) return `${firstOf(subject)}-${lastOf(subject)}`;
  return `${firstOf(subject)}/${bitsOf(subject.family) - (size.toString(2).length - 1)}`;
}
