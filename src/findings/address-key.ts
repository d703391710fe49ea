import ipaddr from 'ipaddr.js';
import { isIP } from 'node:net';

/** An inclusive range of address keys. */
export interface AddressRange {
  readonly first: string;
  readonly last: string;
}

const withoutBrackets = (text: string): string => text.replace(/^\[(.*)\]$/, '$1');

/** Bytes of an address; IPv4-mapped IPv6 becomes IPv4, as everywhere in scanmux. Undefined for anything else. */
function bytesOf(text: string): number[] | undefined {
  const bare = withoutBrackets(text.trim());
  if (isIP(bare) === 0 || bare.includes('%')) return undefined;
  return ipaddr.process(bare).toByteArray();
}

const keyOf = (bytes: readonly number[]): string =>
  `${bytes.length === 4 ? '4' : '6'}${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;

/**
 * An address as text that sorts like the number it is: family, then fixed-width hex. IPv4 comes before IPv6.
 * Undefined when the text is no plain address.
 */
export function addressKey(text: string): string | undefined {
  const bytes = bytesOf(text);
  return bytes && keyOf(bytes);
}

/** The canonical text of an address (RFC 5952 for IPv6); undefined when it is none. */
export function canonicalAddress(text: string): string | undefined {
  const bytes = bytesOf(text);
  return bytes && ipaddr.fromByteArray(bytes).toString();
}

/** `10.0.0.0/8`, `2001:db8::/32` or `10.0.0.1-10.0.0.9`; host bits are ignored. Undefined when it is no range. */
export function addressRange(text: string): AddressRange | undefined {
  const cidr = /^([^/]+)\/(\d{1,3})$/.exec(text.trim());
  if (cidr?.[1] && cidr[2]) return cidrRange(cidr[1], Number(cidr[2]));
  const [from, to, ...rest] = text.split('-');
  const first = addressKey(from ?? '');
  const last = addressKey(to ?? '');
  return first && last && rest.length === 0 && first[0] === last[0] && first <= last ? { first, last } : undefined;
}

function cidrRange(address: string, prefix: number): AddressRange | undefined {
  const bytes = bytesOf(address);
  if (!bytes) return undefined;
  // A prefix inside ::ffff:0:0/96 counts the 96 bits that unwrapping took away.
  const isMapped = bytes.length === 4 && address.includes(':');
  const bits = isMapped ? prefix - 96 : prefix;
  if (bits < 0 || bits > bytes.length * 8) return undefined;
  const masked = (fill: 0 | 0xff): string =>
    keyOf(
      bytes.map((byte, index) => {
        const kept = Math.min(Math.max(bits - index * 8, 0), 8);
        const mask = (0xff << (8 - kept)) & 0xff;
        return (byte & mask) | (fill & ~mask & 0xff);
      }),
    );
  return { first: masked(0), last: masked(0xff) };
}

/** The address an address key stands for, in its canonical text; undefined when it is no such key. */
export function addressOfKey(key: string): string | undefined {
  const bytes = [...Buffer.from(key.slice(1), 'hex')];
  const isKey = bytes.length === (key.startsWith('4') ? 4 : 16) && keyOf(bytes) === key;
  return isKey ? ipaddr.fromByteArray(bytes).toString() : undefined;
}
