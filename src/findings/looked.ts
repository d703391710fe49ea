import { z } from 'zod';
import { fullLook, Place } from '../model/coverage.ts';
import type { ReportScope } from '../model/report.ts';
import type { Row } from '../platform/sqlite.ts';
import { addressOfKey } from './address-key.ts';
import type { Looked, ReportedHost } from './findings.ts';
import { namedHost } from './named-host.ts';
import type { OpenFindings } from './open-findings.ts';
import { loginText } from './place-merging.ts';
import { damaged } from './reading.ts';

const Scope = z.strictObject({
  place: z.string().exactOptional(),
  tcpPorts: z.string().exactOptional(),
  udpPorts: z.string().exactOptional(),
  tcpPortList: z.string().exactOptional(),
  udpPortList: z.string().exactOptional(),
  portsAnswered: z.boolean().exactOptional(),
  families: z.array(z.string()).exactOptional(),
  rules: z.array(z.string()).exactOptional(),
  rulesNotRun: z.array(z.string()).exactOptional(),
  reportsMore: z.boolean().exactOptional(),
  rulesAsOf: z.string().exactOptional(),
});

const PLACES = 'SELECT place, status, reason, login FROM place';

export const placeOfRow = (row: Row): Place =>
  Place.parse(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)));

/** Requested places that were not fully tested, by name; the first `limit` of them. */
export const readUntested = ({ db }: OpenFindings, limit: number): Place[] =>
  db
    .prepare(`${PLACES} WHERE status <> 'tested' OR login IN ('failed', 'partial') ORDER BY place LIMIT ?`)
    .all(limit)
    .map(placeOfRow)
    .map((place) => ({
      ...(place.status === 'tested' ? { reason: loginText(place.login) } : {}),
      ...place,
      status: fullLook(place),
    }));

/** What the report says it looked for. */
export const readScopes = ({ db }: OpenFindings): ReportScope[] =>
  db
    .prepare('SELECT json FROM scope ORDER BY id')
    .all()
    .map(({ json }) => Scope.parse(JSON.parse(String(json))));

/** Everything the file says about what was looked at. */
export const readLooked = (file: OpenFindings): Looked => ({
  engine: file.engine,
  places: file.db.prepare(`${PLACES} ORDER BY place`).all().map(placeOfRow),
  scopes: readScopes(file),
});

/**
 * Hosts of the findings, then those that only places speak of; each once. Files, packages and images are no hosts, and
 * where findings are about those alone, a place named like a host (`Dockerfile`, `go.mod`) is one of them; one that is
 * written as an address or a URL is a host all the same, unless a finding is in a file or image of that very name.
 */
export function readHosts({ db, path }: OpenFindings): ReportedHost[] {
  const ofFindings = db.prepare('SELECT label, name, address_key FROM host ORDER BY id').all();
  const found = ofFindings.flatMap((row) => hostsOfRow(path, row));
  const isOfArtefacts = found.length === 0 && ofFindings.some(({ label }) => label !== '');
  const artefacts = new Set(
    ofFindings.filter(({ name, address_key: key }) => name === null && key === null).map(({ label }) => String(label)),
  );
  const known = new Set(found.flatMap(({ name, address }) => [name, address]));
  const places = db.prepare('SELECT place FROM place ORDER BY place').all();
  const others = [...places, ...db.prepare("SELECT json_extract(json, '$.place') AS place FROM scope").all()]
    .filter(({ place }) => !artefacts.has(String(place ?? '')))
    .map(({ place }) => hostOfPlace(String(place ?? '')))
    .filter((host) => host !== undefined);
  const unknown = others.filter(
    ({ name, address, maybeArtefact }) => !known.has(address ?? name) && !(isOfArtefacts && maybeArtefact === true),
  );
  return [...new Map([...found, ...unknown].map((host) => [`${host.name} ${host.address}`, host])).values()];
}

function addressOfRow(path: string, key: Row[string] | undefined): string | undefined {
  const address = typeof key === 'string' ? addressOfKey(key) : undefined;
  if (address === undefined && key !== null) throw damaged(path);
  return address;
}

function hostsOfRow(path: string, { label, name, address_key: key }: Row): ReportedHost[] {
  const address = addressOfRow(path, key);
  const own = address === undefined ? [] : [{ address }];
  // The label of a finding without a host is a file or an image, however it is called.
  if (typeof name !== 'string' && address === undefined) return [];
  const spoken = namedHost(String(typeof name === 'string' ? name : label));
  if (spoken && 'address' in spoken) return spoken.address === address ? own : [...own, { address: spoken.address }];
  if (typeof name === 'string') return [{ name, ...(address === undefined ? {} : { address }) }];
  return spoken?.isCertain === true ? [...own, { name: spoken.name }] : own;
}

function hostOfPlace(place: string): ReportedHost | undefined {
  const host = namedHost(place);
  if (host === undefined || 'address' in host) return host;
  return { name: host.name, ...(host.isCertain ? {} : { maybeArtefact: true }) };
}
