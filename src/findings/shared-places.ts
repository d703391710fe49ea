import { addressOfKey } from './address-key.ts';
import { hostOfUrl } from './host-keys.ts';
import { lastMade } from './kept.ts';
import { placeKey } from './look-scope.ts';
import type { OpenFindings } from './open-findings.ts';

const kept = lastMade<boolean>(1);

/** False when both scans say where they looked, and have no place in common. */
export const sharePlaces = (head: OpenFindings, base: OpenFindings): boolean =>
  kept(head, base.path, () => hasEqualPlace(head, base) || !areDisjoint(head, base));

/** Most scans that are compared begin with the same place. */
const FIRST_PLACES = 100;

function hasEqualPlace({ db }: OpenFindings, base: OpenFindings): boolean {
  const statement = base.db.prepare('SELECT 1 FROM place WHERE place = ?');
  return db
    .prepare('SELECT place FROM place LIMIT ?')
    .all(FIRST_PLACES)
    .some(({ place }) => statement.get(String(place)) !== undefined);
}

function areDisjoint(head: OpenFindings, base: OpenFindings): boolean {
  const there = new Set(placesOf(base));
  if (there.size === 0) return false;
  let isAnywhere = false;
  for (const place of placesOf(head)) {
    if (there.has(place)) return false;
    isAnywhere = true;
  }
  return isAnywhere;
}

/** Where a scan looked: its places, the hosts of those that are URLs, and the hosts of its findings. */
function* placesOf({ db }: OpenFindings): Generator<string> {
  for (const { place } of db.prepare('SELECT place FROM place').iterate()) {
    const text = String(place);
    yield placeKey(text);
    const host = text.includes('://') ? hostOfUrl(text) : undefined;
    if (host !== undefined) yield placeKey(host);
  }
  // Files and packages are named alike in many images and repositories.
  const hosts = db.prepare('SELECT label, address_key FROM host WHERE name IS NOT NULL OR address_key IS NOT NULL');
  for (const { label, address_key: key } of hosts.iterate()) {
    yield placeKey(String(label));
    const address = typeof key === 'string' ? addressOfKey(key) : undefined;
    if (address !== undefined) yield address;
  }
}
