import { canonicalAddress, addressOfKey } from './address-key.ts';
import { createDetails } from './finding-details.ts';
import { hostOfUrl, plainHostName } from './host-keys.ts';
import { placeKey } from './look-scope.ts';
import type { OpenFindings } from './open-findings.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Ports of the URLs among places, by host. */
function urlPorts(places: readonly string[]): ReadonlyMap<string, ReadonlySet<number>> {
  const found = new Map<string, Set<number>>();
  for (const place of places) {
    const host = place.includes('://') ? hostOfUrl(place) : undefined;
    if (host === undefined) continue;
    const { port, protocol } = new URL(place);
    const label = canonicalAddress(host) ?? plainHostName(host);
    found.set(label, (found.get(label) ?? new Set()).add(port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port)));
  }
  return found;
}

/** Whether the file lists a place; one at a time, because there may be a million. */
export function listedTest({ db }: OpenFindings): (key: string) => boolean {
  const statement = db.prepare('SELECT 1 FROM place WHERE place = ?');
  return (key) => statement.get(key) !== undefined;
}

/** Places of a file that a question is about. */
export interface Claim {
  readonly places: Iterable<string>;
  /** Findings at no place that the file lists count as well: of files, packages, hosts nobody asked for. */
  readonly others: boolean;
}

/** Whether findings of a host on this port (0 or less: none) lie at a claimed place. */
type HostClaim = (port: number) => boolean;

/**
 * Whether a finding lies at one of the places. Where places were
 * named, the label of a host and its address both count; of everything, the one that the scan lists, so that an older
 * look does not come back by its other spelling. A URL speaks for the findings on its port, and those without one.
 */
export function createClaimTest(file: OpenFindings, { places, others }: Claim): (index: number) => boolean {
  const claimed = new Set<string>();
  const urls: string[] = [];
  for (const place of places) {
    claimed.add(placeKey(place));
    if (place.includes('://')) urls.push(place);
  }
  const ports = urlPorts(urls);
  const isOwn = listedTest(file);
  const ownPorts = urlPorts(
    file.db
      .prepare("SELECT place FROM place WHERE instr(place, '://') > 0")
      .all()
      .map((row) => String(row['place'])),
  );
  const details = createDetails(file);
  const byHost = new Map<number, HostClaim>();

  const judge = (hostId: number): HostClaim => {
    const { label, addressKey } = details.host(hostId);
    const key = placeKey(label);
    const address = addressKey === undefined ? '' : (addressOfKey(addressKey) ?? '');
    const place = isOwn(key) ? key : address;
    if (isOwn(place) && claimed.has(place)) return () => true;
    if (!others && (claimed.has(key) || claimed.has(address))) return () => true;
    const [mine, all] = [ports.get(label), ownPorts.get(label)];
    const isListed = isOwn(place);
    return (port) => {
      if (mine !== undefined && (port <= 0 || mine.has(port))) return true;
      const isUrlOfThis = all !== undefined && (port <= 0 || all.has(port));
      return others && !isListed && !isUrlOfThis;
    };
  };
  return (index) => {
    const hostId = file.host[index] ?? 0;
    const claim = byHost.get(hostId) ?? judge(hostId);
    byHost.set(hostId, claim);
    return claim(file.port[index] ?? 0);
  };
}
