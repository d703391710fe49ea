import { LoginOutcome, PlaceStatus, type Place } from '../model/coverage.ts';
import type { LookFacts, ScanLook } from './look-proof.ts';
import { addressKey } from './address-key.ts';
import { portItems } from './look-ports.ts';
import { readScopes } from './looked.ts';
import type { OpenFindings } from './open-findings.ts';
import type { Row } from '../platform/sqlite.ts';
import { damaged } from './reading.ts';
import { pinnedRows } from './spellings.ts';

const STATUSES: ReadonlyMap<unknown, PlaceStatus> = new Map(PlaceStatus.options.map((status) => [status, status]));
const LOGINS: ReadonlyMap<unknown, LoginOutcome> = new Map(LoginOutcome.options.map((login) => [login, login]));

/** Everything a findings file and the record of its scan show of where and for what it looked. */
export function readLook(file: OpenFindings, facts: LookFacts): ScanLook {
  let labels: ReadonlySet<unknown> | undefined;
  let renamed: ReadonlySet<unknown> | undefined;
  const hasLabel = (label: string): boolean => {
    labels ??= new Set(
      file.db
        .prepare('SELECT label FROM host')
        .all()
        .map((row) => row['label']),
    );
    return labels.has(label);
  };
  const namesAddress = (key: string): boolean => {
    renamed ??= renamedAddresses(file);
    return renamed.has(key);
  };
  return {
    facts: { ...facts, endedWhole: facts.endedWhole && reportEnded(file) },
    places: readPlaces(file),
    scopes: readScopes(file),
    hasLabel,
    namesAddress,
    portsAt: portItems(file),
  };
}

/** Keys of addresses that belong to a name which was asked for, and at which findings have that name. */
export function renamedAddresses({ db }: OpenFindings): ReadonlySet<unknown> {
  const pinned = new Set([...pinnedRows(db)].map(({ address }) => addressKey(String(address))));
  if (pinned.size === 0) return pinned;
  const named = db.prepare('SELECT address_key FROM host WHERE name IS NOT NULL').all();
  return new Set(named.map((row) => row['address_key']).filter((key) => typeof key === 'string' && pinned.has(key)));
}

function readPlaces({ db, path }: OpenFindings): Place[] {
  const places: Place[] = [];
  for (const row of db.prepare('SELECT place, status, login FROM place').iterate()) places.push(placeLooked(path, row));
  return places;
}

/** Not by the schema: texts were cleaned when they were written, and there may be a million. */
export function placeLooked(path: string, { place, status: said, login: outcome }: Row): Place {
  const [status, login] = [STATUSES.get(said), LOGINS.get(outcome)];
  if (typeof place !== 'string' || status === undefined) throw damaged(path);
  return { place, status, ...(login === undefined ? {} : { login }) };
}

/** The report said itself that it was done, and could be read to there. */
export const reportEnded = ({ db }: OpenFindings): boolean =>
  db.prepare("SELECT value FROM meta WHERE key = 'ended'").get()?.['value'] === 'true';
