import { addressOfKey, canonicalAddress } from './address-key.ts';
import { hostOfUrl } from './host-keys.ts';
import { lastMade } from './kept.ts';
import { placeKey } from './look-scope.ts';
import type { OpenFindings } from './open-findings.ts';

/** Another word for a place of a file: its address where the place has a name, its name where it has an address. */
export interface Spelling {
  readonly text: string;
  /** As the file lists it. */
  readonly place: string;
}

const kept = lastMade<readonly Spelling[]>(4);

/** What findings show of names and addresses of the places that the file lists, in spellings that it does not list. */
export const spellingsIn = (file: OpenFindings): readonly Spelling[] => kept(file, '', () => readSpellings(file));

function readSpellings({ db }: OpenFindings): readonly Spelling[] {
  const listed = new Map<string, string[]>();
  const own = new Set<string>();
  for (const { place: text } of db.prepare('SELECT place FROM place').iterate()) {
    const place = String(text);
    own.add(placeKey(place));
    const key = placeKey(place.includes('://') ? (hostOfUrl(place) ?? place) : place);
    const same = listed.get(key);
    if (same) same.push(place);
    else listed.set(key, [place]);
  }
  const found: Spelling[] = [];
  const hosts = db.prepare('SELECT label, address_key FROM host WHERE name IS NOT NULL AND address_key IS NOT NULL');
  for (const { label, address_key: addressKey } of hosts.iterate()) {
    const [name, address] = [String(label), addressOfKey(String(addressKey))];
    if (address === undefined) continue;
    const spell = (text: string, other: string): void => {
      if (!own.has(text)) for (const place of listed.get(other) ?? []) found.push({ text, place });
    };
    spell(address, placeKey(name));
    spell(placeKey(name), canonicalAddress(address) ?? address);
  }
  return found;
}
