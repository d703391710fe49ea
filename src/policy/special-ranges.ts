import { contains, overlap, range, type AddressRange } from './address.ts';

/** Addresses that are not ordinary public hosts. Source: the IANA IPv4 and IPv6 special-purpose address registries. */
export interface SpecialRange {
  readonly range: AddressRange;
  readonly name: string;
}

const named = (name: string, ...texts: readonly string[]): SpecialRange[] =>
  texts.map((text) => ({ name, range: range(text) }));

/**
 * Denied unless the exact address is an entry of its own: a network around one never opens it. 168.63.129.16 is the
 * wire server of Azure in an otherwise public range; 100.100.100.200 is Alibaba's, inside the CGNAT range.
 */
export const ALWAYS_DENIED: readonly SpecialRange[] = [
  ...named(
    'metadata',
    '169.254.169.254',
    '169.254.169.253',
    '169.254.169.123',
    '169.254.170.2',
    '169.254.170.23',
    '169.254.0.23',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd00:ec2::253',
    'fd00:ec2::23',
    'fd20:ce::254',
    'fd00:c1::a9fe:a9fe',
    'fe80::a9fe:a9fe',
  ),
  ...named('unspecified', '0.0.0.0/8', '::'),
  ...named('broadcast', '255.255.255.255'),
  ...named('link-local', '169.254.0.0/16', 'fe80::/10'),
  ...named('multicast', '224.0.0.0/4', 'ff00::/8'),
  // An IPv4 address is hidden inside in a form that cannot be judged as a range.
  ...named('IPv4-translated (local NAT64)', '64:ff9b:1::/48'),
  ...named('Teredo', '2001::/32'),
  { name: 'IPv4-compatible', range: { family: 6, first: 2n, last: 0xffff_ffffn } },
  { name: 'IPv4-mapped', range: { family: 6, first: 0xffff_0000_0000n, last: 0xffff_ffff_ffffn } },
];

/** Opened only by an entry that lies inside the same range: `0.0.0.0/0` does not open 10.0.0.0/8. */
export const SPECIAL: readonly SpecialRange[] = [
  ...named('loopback', '127.0.0.0/8', '::1'),
  ...named('private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'),
  ...named('shared (CGNAT)', '100.64.0.0/10'),
  ...named('documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'),
  ...named('benchmarking', '198.18.0.0/15'),
  ...named('protocol assignment', '192.0.0.0/24', '2001::/23', '192.88.99.0/24', '5f00::/16'),
  ...named('AS112', '192.31.196.0/24', '192.175.48.0/24', '2620:4f:8000::/48'),
  ...named('AMT', '192.52.193.0/24'),
  ...named('reserved', '240.0.0.0/4'),
  ...named('discard', '100::/64', '100:0:0:1::/64'),
  ...named('site-local', 'fec0::/10'),
  ...named('NAT64', '64:ff9b::/96'),
  ...named('6to4', '2002::/16'),
];

const LOOPBACK = SPECIAL.filter(({ name }) => name === 'loopback');

export const isLoopback = (subject: AddressRange): boolean => LOOPBACK.some(({ range: net }) => contains(net, subject));

/** Names that lead to a metadata service; denied unless the exact name is an entry. */
const METADATA_NAMES: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.azure.internal',
  'metadata.tencentyun.com',
  'instance-data',
  'instance-data.ec2.internal',
]);
export const isMetadataName = (host: string): boolean => METADATA_NAMES.has(host);

const NAT64 = range('64:ff9b::/96');
const SIX_TO_FOUR = range('2002::/16');
const TEREDO = range('2001::/32');
const LOCAL_NAT64 = range('64:ff9b:1::/48');
const LOW_32 = 0xffff_ffffn;

/**
 * The IPv4 addresses inside an IPv6 range that a translator or relay would really talk to: RFC 6052 (NAT64), RFC 3056
 * (6to4), RFC 4380 (Teredo server and client), RFC 4291 (IPv4-compatible). Empty when there are none.
 */
export function embeddedIpv4(subject: AddressRange): readonly AddressRange[] {
  if (subject.family === 4) return [];
  const inside: AddressRange[] = [];
  const nat64 = overlap(subject, NAT64);
  if (nat64) inside.push(ipv4(nat64.first & LOW_32, nat64.last & LOW_32));
  const relay = overlap(subject, SIX_TO_FOUR);
  if (relay) inside.push(ipv4((relay.first >> 80n) & LOW_32, (relay.last >> 80n) & LOW_32));
  return subject.first === subject.last ? [...inside, ...hiddenIpv4(subject)] : inside;
}

/** The forms that only make sense for one address; whole ranges of them are always denied. */
function hiddenIpv4(subject: AddressRange): AddressRange[] {
  const low = subject.first & LOW_32;
  if (contains(TEREDO, subject)) {
    const server = (subject.first >> 64n) & LOW_32;
    return [ipv4(server, server), ipv4(low ^ LOW_32, low ^ LOW_32)];
  }
  const isCompatible = subject.first > 1n && subject.first <= LOW_32;
  return isCompatible || contains(LOCAL_NAT64, subject) ? [ipv4(low, low)] : [];
}

const ipv4 = (first: bigint, last: bigint): AddressRange => ({ family: 4, first, last });
