import type { Location } from '../model/finding.ts';
import type { Database } from '../platform/sqlite.ts';
import { hostKeys } from './host-keys.ts';
import type { HostKeys } from './host-keys.ts';
import { createRecentTexts } from './recent-texts.ts';

/** The hosts of one report's findings. */
export interface HostBook {
  /** A number for the host of a place, in the order of the report. */
  idOf(location: Location): number;
}

const RECENT_CHARS = 4 << 20;

/** On disk and sorted while they come, so that a report of a million hosts neither fills memory nor stops for a sort. */
const CREATE = `CREATE TABLE found_host (sort TEXT NOT NULL, address TEXT NOT NULL, label TEXT NOT NULL,
  id INTEGER NOT NULL, name TEXT, PRIMARY KEY (sort, address, label)) WITHOUT ROWID`;

/** What decides about the host of a place, as one text. */
const spelling = ({ host, ip, url, image, file }: Location): string =>
  host === undefined && ip === undefined
    ? `\n\n${url ?? ''}\n${image ?? ''}\n${file ?? ''}`
    : `${host ?? ''}\n${ip ?? ''}`;

/** @param staging A database that is thrown away afterwards. */
export function createHostBook(staging: Database): HostBook {
  staging.exec(CREATE);
  const find = staging.prepare('SELECT id FROM found_host WHERE sort = ? AND address = ? AND label = ?');
  const insert = staging.prepare('INSERT INTO found_host VALUES (?, ?, ?, ?, ?)');
  const recent = createRecentTexts<number>(RECENT_CHARS);
  let count = 0;

  const lookUp = ({ order, address = '', label, name }: HostKeys): number => {
    const row = find.get(order, address, label);
    if (row !== undefined) return Number(row['id']);
    const id = count;
    count += 1;
    insert.run(order, address, label, id, name ?? null);
    return id;
  };

  return {
    idOf(location) {
      const text = spelling(location);
      const known = recent.get(text);
      if (known !== undefined) return known;
      const id = lookUp(hostKeys(location));
      recent.set(text, id);
      return id;
    },
  };
}

/** All hosts of a host book in their sort order: the number `idOf` gave, and what it stands for. */
export function* sortedHosts(
  staging: Database,
): Generator<readonly [id: number, host: Pick<HostKeys, 'label' | 'name' | 'address'>]> {
  const rows = staging.prepare('SELECT id, label, name, address FROM found_host ORDER BY sort, address, label');
  for (const { id, label, name, address } of rows.iterate()) {
    yield [
      Number(id),
      {
        label: String(label),
        name: name === null ? undefined : String(name),
        address: address === '' ? undefined : String(address),
      },
    ];
  }
}
