import type { Location } from '../model/finding.ts';
import { addressKey, addressRange, canonicalAddress } from './address-key.ts';
import { hostKeys } from './host-keys.ts';
import { placeKey } from './look-scope.ts';

/** What scans may call the place of a finding: its name or image, and its address. Empty for a finding without a place. */
export function placeLabels(location: Location): readonly string[] {
  const { label } = hostKeys(location);
  const address = canonicalAddress(location.ip ?? '');
  return [...new Set([label, address])].filter((text) => text !== undefined && text !== '').map(String);
}

/** How findings files and the index call a place: in one spelling, whatever letters a report wrote it in. */
export const placeNameOf = (place: string): string => placeKey(place);

/** Whether the filter `host` takes the text for an address, a CIDR or a range. */
export const isAddressed = (host: string): boolean =>
  addressKey(host) !== undefined || addressRange(host) !== undefined;
