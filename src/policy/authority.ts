import { isIP } from 'node:net';
import { formatAddress, parseAddress, type Address } from './address.ts';
import { refuse } from './spelling.ts';

/** The form that may stand before a port. */
export const bracketed = (address: Address): string =>
  address.family === 6 ? `[${formatAddress(address)}]` : formatAddress(address);

/** The address a host part is, brackets required around IPv6 and refused around anything else. */
export function hostAddress(text: string, host: string): Address | undefined {
  if (!host.startsWith('[')) return host.includes(':') ? undefined : parseAddress(host);
  const inner = host.slice(1, -1);
  if (inner.includes('%')) refuse(text, 'it holds a zone; scanners drop or keep a zone as they like');
  const address = isIP(inner) === 6 ? parseAddress(inner) : undefined;
  return address ?? refuse(text, 'only an IPv6 address stands in brackets');
}

/** Splits `host:port` or `[v6]:port`. @throws AppError target_invalid */
export function splitPort(text: string, authority: string): { host: string; port?: number } {
  const match = /^(\[[^[\]]*\]|[^:[\]]*)(?::([^:[\]]*))?$/.exec(authority);
  if (!match) {
    refuse(text, 'it is neither an IPv6 address nor host:port; an IPv6 address before a port stands in brackets');
  }
  const host = match[1] ?? '';
  const port = match[2];
  if (port === undefined) return { host };
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535) {
    refuse(text, 'the port must be a number from 1 to 65535 without leading zeros');
  }
  return { host, port: Number(port) };
}
