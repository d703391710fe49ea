import type { Location } from '../model/finding.ts';
import { canonicalAddress } from './address-key.ts';
import { hostKeys } from './host-keys.ts';

/** What scans may call the place of a finding: its name or image, and its address. Empty for a finding without a place. */
export function placeLabels(location: Location): readonly string[] {
  const { label } = hostKeys(location);
  const address = canonicalAddress(location.ip ?? '');
  return [...new Set([label, address])].filter((text) => text !== undefined && text !== '').map(String);
}
