import { addressOfKey } from './address-key.ts';
import { createDetails } from './finding-details.ts';
import { placeKey } from './look-scope.ts';
import type { OpenFindings } from './open-findings.ts';
import { listedTest, solePlace, urlsByHost, type HostUrl } from './place-claims.ts';

interface HostPlaces {
  readonly listed: readonly string[];
  readonly urls: readonly HostUrl[];
  readonly label: string;
}

/**
 * Places of a file that a finding on a host and port (0: none) lies at, as the file lists them: the host by its label or
 * its address, and URLs of it. What lies at none of them belongs to what was scanned, where that was one thing; else it
 * goes by its own label.
 */
export function createPlaceNames(file: OpenFindings): (hostId: number, port: number) => readonly string[] {
  const details = createDetails(file);
  const isListed = listedTest(file);
  const urls = urlsByHost(file);
  const sole = solePlace(file);
  const rest = (label: string): string => sole ?? label;
  const own = (hostId: number): HostPlaces => {
    const { label, addressKey } = details.host(hostId);
    const address = addressKey === undefined ? undefined : addressOfKey(addressKey);
    const listed = [placeKey(label), address].find((word) => word !== undefined && isListed(word));
    return { listed: listed === undefined ? [] : [listed], urls: urls.get(label) ?? [], label };
  };
  const byHost = new Map<number, HostPlaces>();
  return (hostId, port) => {
    const host = byHost.get(hostId) ?? own(hostId);
    byHost.set(hostId, host);
    const ofUrls = host.urls.flatMap((one) => (port === 0 || one.port === port ? [one.url] : []));
    const names = [...host.listed, ...ofUrls];
    return names.length > 0 ? names : [rest(host.label)];
  };
}
