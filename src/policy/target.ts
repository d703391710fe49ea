import { isIP } from 'node:net';
import type { Target } from '../model/target.ts';
import {
  countOf,
  firstOf,
  formatAddress,
  formatRange,
  isSingle,
  lastOf,
  parseAddress,
  parseNetwork,
  single,
  type Address,
  type AddressRange,
} from './address.ts';
import { bracketed, hostAddress, splitPort } from './authority.ts';
import { hostName } from './host-name.ts';
import { refuse, refuseExpansion, requireOneToken } from './spelling.ts';
import { urlTarget } from './url-target.ts';

/**
 * Reads one target and gives its canonical form; `parseTarget(target.text)` gives the same again. Every spelling that
 * two tools would read differently is refused.
 * @throws AppError target_invalid
 */
export function parseTarget(text: string): Target {
  requireOneToken(text);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return urlTarget(text);
  if (text.includes('@')) refuse(text, 'it holds user info');
  if (text.includes('%')) refuse(text, 'it holds a zone or a percent sign; scanners drop or keep a zone as they like');
  if (text.includes('/')) return networkTarget(text);
  const address = parseAddress(text);
  if (address) return addressTarget(address);
  if (/^[\d.*:a-f]+-/i.test(text) && looksLikeRange(text)) return rangeTarget(text);
  return hostTarget(text);
}

function addressTarget(address: Address, port?: number): Target {
  const plain = formatAddress(address);
  if (port === undefined) return { kind: 'address', text: plain, address: plain };
  return { kind: 'address', text: `${bracketed(address)}:${port}`, address: plain, port };
}

function networkTarget(text: string): Target {
  const network = parseNetwork(text);
  if (network) return rangeOf(network, formatRange(network));
  const [base = '', prefix = ''] = text.split('/');
  const address = parseAddress(base);
  if (!address) refuse(text, 'only an address can have a prefix length; a path needs http:// or https:// in front');
  if (isIP(prefix)) refuse(text, 'a netmask is not read', 'the prefix length (/24 for 255.255.255.0)');
  refuse(text, `the prefix length must be a whole number from 0 to ${isIP(base) === 4 ? 32 : 128}`);
}

/** A network or range of one is an address, so that one place has one spelling. */
function rangeOf(range: AddressRange, text: string): Target {
  if (isSingle(range)) return addressTarget({ family: range.family, value: range.first });
  const size = countOf(range);
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  return {
    kind: 'network',
    text,
    first: firstOf(range),
    last: lastOf(range),
    size: Number(size < most ? size : most),
  };
}

/** The side before the first dash is an address, or is made of numbers only: no host name looks like that. */
function looksLikeRange(text: string): boolean {
  const before = text.slice(0, text.indexOf('-'));
  return isIP(before) !== 0 || /^[\d.*]*\.[\d.*]*$/.test(before);
}

function rangeTarget(text: string): Target {
  const [from = '', to = '', ...rest] = text.split('-');
  const first = parseAddress(from);
  const last = parseAddress(to);
  if (!first || !last || rest.length > 0) refuseExpansion(text);
  if (first.family !== last.family) refuse(text, 'a range joins two addresses of one family');
  if (first.value > last.value) refuse(text, 'the range ends before it starts', `${to}-${from}`);
  const range: AddressRange = { family: first.family, first: first.value, last: last.value };
  return rangeOf(range, `${firstOf(range)}-${lastOf(range)}`);
}

function hostTarget(text: string): Target {
  const { host, port } = splitPort(text, text);
  const address = hostAddress(text, host);
  if (address) return addressTarget(address, port);
  const name = hostName(text, host);
  if (port === undefined) return { kind: 'host', text: name, host: name };
  return { kind: 'host', text: `${name}:${port}`, host: name, port };
}

/** The addresses a target names by itself; undefined for a host name. */
export function rangeOfTarget(target: Target): AddressRange | undefined {
  if (target.kind === 'network') {
    const first = parseAddress(target.first);
    const last = parseAddress(target.last);
    return first && last && { family: first.family, first: first.value, last: last.value };
  }
  const address = target.kind === 'address' ? target.address : target.host;
  const parsed = parseAddress(address);
  return parsed && single(parsed);
}

/** Addresses a target counts against `max_hosts` before any lookup: every one of a network, one for the rest. */
export const sizeOf = (target: Target): number => (target.kind === 'network' ? target.size : 1);

/**
 * Every address of a network or range in order, canonical; the one of an address; none for a host name. Nothing is
 * built ahead: check `sizeOf` first, a /64 does not end.
 */
export function* addressesOf(target: Target): Generator<string, void, undefined> {
  const range = rangeOfTarget(target);
  if (!range) return;
  for (let value = range.first; value <= range.last; value += 1n) yield formatAddress({ family: range.family, value });
}
