import { isIP } from 'node:net';
import { canonicalAddress } from './address-key.ts';

/** What a text of a report names as a host. */
export type NamedHost =
  | { readonly address: string }
  /** `isCertain`: the authority of a URL, or what can be nothing but a broken address. */
  | { readonly name: string; readonly isCertain: boolean };

/** One label or more, as names of hosts are written; a path, a package and an image with a tag are none. */
const HOST_NAME = /^(?!.*\.\.)[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?\.?$/i;
const AUTHORITY = /^(?:[a-z][a-z0-9+.-]*:)?[\\/]{2}([^/?#\\]*)/i;
const PORT = /:\d{0,5}$/;
/** Groups of hex digits between colons, with a zone or without. */
const LIKE_IPV6 = /^\[?[0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*(?:%[^/]*)?\]?$/i;
const MAC = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i;

/**
 * Reads an address (with a zone, with a port), a URL of any scheme, `//host/path` or a host name, with a port or
 * without. Undefined for what names no host: a path, a package, an image with a tag.
 */
export function namedHost(text: string): NamedHost | undefined {
  const authority = authorityOf(text.trim());
  const written = authority ?? text.trim();
  if (written === '') return undefined;
  const address = plainAddress(written) ?? plainAddress(written.replace(PORT, ''));
  if (address !== undefined) return { address };
  const name = written.replace(PORT, '');
  const isBroken = LIKE_IPV6.test(written) && !MAC.test(written);
  if (authority !== undefined || isBroken) return { name: plainName(name), isCertain: true };
  return HOST_NAME.test(name) ? { name: plainName(name), isCertain: false } : undefined;
}

const plainName = (text: string): string => text.toLowerCase().replace(/\.$/, '');

/** Without its zone, which says on which link an address counts and not which host it is. */
function plainAddress(text: string): string | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/s, '');
  return isIP(bare) === 0 ? undefined : canonicalAddress(bare);
}

function authorityOf(text: string): string | undefined {
  const host = URL.canParse(text) ? new URL(text).hostname : '';
  if (host !== '') return host;
  const authority = AUTHORITY.exec(text)?.[1];
  const named = authority?.slice(authority.lastIndexOf('@') + 1);
  return named === '' ? undefined : named;
}
