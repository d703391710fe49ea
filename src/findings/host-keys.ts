import type { Location } from '../model/finding.ts';
import { addressKey, canonicalAddress } from './address-key.ts';

/** What a finding is found and sorted by as far as its host goes. */
export interface HostKeys {
  /** Name of the group a finding belongs to: host, address, image or file, in one spelling. Empty when it has none. */
  readonly label: string;
  /** Sorts addresses by number, then names by letter, then what has no host. */
  readonly order: string;
  /** Lower case, without a trailing dot. */
  readonly name: string | undefined;
  readonly address: string | undefined;
}

/** Host of a URL, with the brackets of an IPv6 address; undefined for any other text. */
export function hostOfUrl(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  return hostname === '' ? undefined : hostname;
}

export const plainHostName = (text: string): string => text.trim().toLowerCase().replace(/\.$/, '');

/** What the place is called as a host, by a name or an address; a report may leave texts empty. */
const spokenOf = ({ host, ip, url }: Location): string => host || (ip ? '' : (hostOfUrl(url) ?? ''));

export function hostKeys(location: Location): HostKeys {
  const { ip = '' } = location;
  const spoken = spokenOf(location);
  const literal = addressKey(spoken);
  const name = spoken === '' || literal !== undefined ? undefined : plainHostName(spoken);
  const address = addressKey(ip) ?? literal;
  const label = name ?? canonicalAddress(spoken || ip) ?? labelWithoutHost(location);
  return { label, order: orderOf(name, address, label), name, address };
}

const labelWithoutHost = ({ ip, image, file }: Location): string => ip || image || file || '';

function orderOf(name: string | undefined, address: string | undefined, label: string): string {
  if (name !== undefined) return `n${name}`;
  return address === undefined ? `x${label}` : `a${address}`;
}
