import { addressOfKey, canonicalAddress } from './address-key.ts';
import { hostOfUrl } from './host-keys.ts';
import { lastMade } from './kept.ts';
import { placeKey } from './look-scope.ts';
import type { OpenFindings } from './open-findings.ts';

/** Other words for the places of a file, by the place as the file lists it. */
export type Spellings = ReadonlyMap<string, ReadonlySet<string>>;

const kept = lastMade<Spellings>(1);

/** Addresses of names and names of addresses: as the names were pinned for the scan, and as its findings show them. */
export const spellingsIn = (file: OpenFindings): Spellings => kept(file, '', () => readSpellings(file));

function readSpellings({ db }: OpenFindings): Spellings {
  const found = new Map<string, Set<string>>();
  const note = (place: string, word: string): void => {
    if (placeKey(place) !== word) found.set(place, (found.get(place) ?? new Set()).add(word));
  };
  for (const { place, address } of pinnedRows(db)) note(String(place), String(address));

  const listed = listedByHost(db);
  const hosts = db.prepare('SELECT label, address_key FROM host WHERE name IS NOT NULL AND address_key IS NOT NULL');
  for (const { label, address_key: addressKey } of hosts.iterate()) {
    const name = placeKey(String(label));
    const address = addressOfKey(String(addressKey));
    if (address === undefined) continue;
    for (const place of listed.get(name) ?? []) note(place, address);
    for (const place of listed.get(canonicalAddress(address) ?? address) ?? []) note(place, name);
  }
  return found;
}

/** Addresses of names as they were pinned. Files of the first days of their version have no such table. */
export function pinnedRows(db: OpenFindings['db']) {
  const table = db.prepare("SELECT 1 FROM file.sqlite_schema WHERE type = 'table' AND name = 'pinned'").get();
  return table === undefined ? [] : db.prepare('SELECT place, address FROM pinned').iterate();
}

/** Places by their host; only what findings may speak of by another word. */
function listedByHost(db: OpenFindings['db']): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const hosts = db.prepare('SELECT 1 FROM host WHERE name IS NOT NULL AND address_key IS NOT NULL LIMIT 1').get();
  if (hosts === undefined) return found;
  for (const { place: text } of db.prepare('SELECT place FROM place').iterate()) {
    const place = String(text);
    const key = placeKey(place.includes('://') ? (hostOfUrl(place) ?? place) : place);
    const same = found.get(key);
    if (same) same.push(place);
    else found.set(key, [place]);
  }
  return found;
}
