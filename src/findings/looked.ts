import { z } from 'zod';
import { Place } from '../model/coverage.ts';
import type { ReportScope } from '../model/report.ts';
import type { Row } from '../platform/sqlite.ts';
import { addressKey, addressOfKey } from './address-key.ts';
import type { Looked, ReportedHost } from './findings.ts';
import { plainHostName } from './host-keys.ts';
import type { OpenFindings } from './open-findings.ts';
import { damaged } from './reading.ts';

const Scope = z.strictObject({
  place: z.string().exactOptional(),
  tcpPorts: z.string().exactOptional(),
  udpPorts: z.string().exactOptional(),
  families: z.array(z.string()).exactOptional(),
  rules: z.array(z.string()).exactOptional(),
  rulesNotRun: z.array(z.string()).exactOptional(),
});

const PLACES = 'SELECT place, status, reason, login FROM place';

const toPlace = (row: Row): Place =>
  Place.parse(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)));

/** Requested places that were not fully tested, by name; the first `limit` of them. */
export const readUntested = ({ db }: OpenFindings, limit: number): Place[] =>
  db.prepare(`${PLACES} WHERE status <> 'tested' ORDER BY place LIMIT ?`).all(limit).map(toPlace);

const readScopes = ({ db }: OpenFindings): ReportScope[] =>
  db
    .prepare('SELECT json FROM scope ORDER BY id')
    .all()
    .map(({ json }) => Scope.parse(JSON.parse(String(json))));

/** Everything the file says about what was looked at. */
export const readLooked = (file: OpenFindings): Looked => ({
  engine: file.engine,
  places: file.db.prepare(`${PLACES} ORDER BY place`).all().map(toPlace),
  scopes: readScopes(file),
});

/** Hosts of the findings, then those that only places speak of; each once. Files, packages and images are no hosts. */
export function readHosts({ db, path }: OpenFindings): ReportedHost[] {
  const hosts = new Map<string, ReportedHost>();
  const note = (host: ReportedHost): void => {
    const key = `${host.name ?? ''} ${host.address ?? ''}`;
    if (key !== ' ' && !hosts.has(key)) hosts.set(key, host);
  };
  const known = new Set<string>();
  for (const row of db.prepare('SELECT name, address_key FROM host ORDER BY id').iterate()) {
    const name = row['name'] === null ? undefined : String(row['name']);
    const address = row['address_key'] === null ? undefined : addressOfKey(String(row['address_key']));
    if (address === undefined && row['address_key'] !== null) throw damaged(path);
    note({ ...(name === undefined ? {} : { name }), ...(address === undefined ? {} : { address }) });
    for (const word of [name, address]) if (word !== undefined) known.add(word);
  }
  for (const { place } of db.prepare('SELECT place FROM place ORDER BY place').iterate()) {
    const host = hostOfPlace(String(place));
    const word = host?.address ?? host?.name;
    if (host && word !== undefined && !known.has(word)) note(host);
  }
  return [...hosts.values()];
}

/** One label or more, as names of hosts are written; a path, a package and an image with a tag are none. */
const HOST_NAME = /^(?!.*\.\.)[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?\.?$/i;

function hostOfPlace(place: string): ReportedHost | undefined {
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(place);
  const text = isUrl ? urlHost(place) : place;
  const key = addressKey(text);
  const address = key === undefined ? undefined : addressOfKey(key);
  if (address !== undefined) return { address };
  return HOST_NAME.test(text) ? { name: plainHostName(text) } : undefined;
}

const urlHost = (text: string): string => (URL.canParse(text) ? new URL(text).hostname : '');
