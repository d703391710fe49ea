import { canonicalAddress, addressOfKey } from './address-key.ts';
import { createDetails } from './finding-details.ts';
import { hostOfUrl, plainHostName } from './host-keys.ts';
import { placeKey } from './look-scope.ts';
import type { OpenFindings } from './open-findings.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

export interface HostUrl {
  readonly url: string;
  readonly port: number;
}

/** The URLs among places, by host. */
function urlsAmong(places: readonly string[]): ReadonlyMap<string, readonly HostUrl[]> {
  const found = new Map<string, HostUrl[]>();
  for (const place of places) {
    const host = place.includes('://') ? hostOfUrl(place) : undefined;
    if (host === undefined) continue;
    const { port, protocol } = new URL(place);
    const label = canonicalAddress(host) ?? plainHostName(host);
    const url = { url: place, port: port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port) };
    const known = found.get(label);
    if (known) known.push(url);
    else found.set(label, [url]);
  }
  return found;
}

/** The URLs a file lists, by host. */
export const urlsByHost = ({ db }: OpenFindings): ReadonlyMap<string, readonly HostUrl[]> =>
  urlsAmong(
    db
      .prepare("SELECT place FROM place WHERE instr(place, '://') > 0")
      .all()
      .map((row) => String(row['place'])),
  );

const portsOf = (urls: ReadonlyMap<string, readonly HostUrl[]>): ReadonlyMap<string, ReadonlySet<number>> =>
  new Map([...urls].map(([host, list]) => [host, new Set(list.map(({ port }) => port))]));

/** Whether the file lists a place; one at a time, because there may be a million. */
export function listedTest({ db }: OpenFindings): (key: string) => boolean {
  const statement = db.prepare('SELECT 1 FROM place WHERE place = ?');
  return (key) => statement.get(key) !== undefined;
}

/**
 * The place of a file that lists no other. What lies on no host (files, packages) belongs to it: the repository, folder
 * or image that was scanned.
 */
export function solePlace({ db }: OpenFindings): string | undefined {
  const [sole, ...others] = db.prepare('SELECT place FROM place LIMIT 2').all();
  return sole !== undefined && others.length === 0 ? String(sole['place']) : undefined;
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
  const ports = portsOf(urlsAmong(urls));
  const isOwn = listedTest(file);
  const ownPorts = portsOf(urlsByHost(file));
  const details = createDetails(file);
  const sole = solePlace(file);
  const isSoleClaimed = sole !== undefined && claimed.has(sole);
  const claims = new Map<number, HostClaim>();

  const judge = (hostId: number): HostClaim => {
    const { label, name, addressKey } = details.host(hostId);
    if (isSoleClaimed && name === undefined && addressKey === undefined) return () => true;
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
    const claim = claims.get(hostId) ?? judge(hostId);
    claims.set(hostId, claim);
    return claim(file.port[index] ?? 0);
  };
}
