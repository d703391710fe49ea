import { isIP } from 'node:net';
import type { z } from 'zod';
import type { Location } from '../../model/finding.ts';
import { defined, listOf, objectOf, textOf, wholeOf, type JsonObject } from '../json-fields.ts';
import { hostOfUrl, keptPath, shownUrl } from '../web-place.ts';
import { hasHost, isAboutHost, isInRepository, isKeptFile, type RunOrigin } from './targets.ts';

type LocationInput = z.input<typeof Location>;

/** Lists of a run that results point into by index; `undefined` where an element says nothing. */
export interface Indices {
  readonly artifacts: readonly (string | undefined)[];
  readonly logicalLocations: readonly (string | undefined)[];
}

/** A place, and whether a host in its URI was taken for where a file is kept, or for what was looked at. */
export interface SarifPlace {
  readonly location: LocationInput;
  readonly host?: 'keeps the file' | 'was looked at';
}

/**
 * Where a result is: its first physical location, else what was requested, else its first logical one, else what was
 * analysed. A web address is
 * a web place, unless it is only where a file is kept. `uriBaseId` is left out on purpose: where the sources lay is
 * different on every machine, and a relative path is the same everywhere.
 */
export function sarifPlace(result: JsonObject, run: Indices & RunOrigin): SarifPlace {
  const locations = listOf(result['locations']).slice(0, 100).map(objectOf);
  const physical = locations
    .map((location) => objectOf(location['physicalLocation']))
    .find((one) => uriOf(one['artifactLocation'], run));
  if (physical) {
    const line = wholeOf(objectOf(physical['region'])['startLine'], 1);
    const place = placeOfUri(uriOf(physical['artifactLocation'], run) ?? '', { physical, result, run });
    return { ...place, location: { ...place.location, ...defined({ line }) } };
  }
  const target = textOf(objectOf(result['webRequest'])['target']) ?? '';
  if (hasHost(target)) return placeOfUri(target, { physical: {}, result, run });
  const logical = locations
    .flatMap((location) => [location['logicalLocation'], ...listOf(location['logicalLocations'])])
    .map((one) => logicalName(objectOf(one), run))
    .find((name) => name !== undefined);
  if (logical !== undefined) return { location: { file: logical } };
  const analysed = uriOf(result['analysisTarget'], run);
  return analysed === undefined ? { location: {} } : placeOfUri(analysed, { physical: {}, result, run });
}

/**
 * Whether it depends on the repositories of the run, which may still come, what the address of a result is. Only where
 * nothing else decides it.
 */
export const needsRepositories = (result: JsonObject, run: Indices & RunOrigin): boolean =>
  !isAboutHost(result, run) && sarifPlace(result, run).host === 'was looked at';

/** What was analysed, as a place: a file, unless a host in it is what the tool looked at. */
export const analysedPlace = (uri: string, isKept: boolean, run: RunOrigin): string =>
  hasHost(uri) && (isKept || isInRepository(uri, run)) ? keptPath(pathOf(uri)) : pathOf(uri);

/** Whether a result can only be placed with lists that may still come. */
export function needsIndices(result: JsonObject): boolean {
  const isPointer = (value: unknown, ...names: string[]): boolean => {
    const one = objectOf(value);
    return one['index'] !== undefined && one['index'] !== -1 && names.every((name) => textOf(one[name]) === undefined);
  };
  if (isPointer(result['analysisTarget'], 'uri')) return true;
  return listOf(result['locations'])
    .map(objectOf)
    .some(
      (location) =>
        isPointer(objectOf(location['physicalLocation'])['artifactLocation'], 'uri') ||
        listOf(location['logicalLocations']).some((one) => isPointer(one, 'fullyQualifiedName', 'name')),
    );
}

export function uriOf(artifactLocation: unknown, { artifacts }: Indices): string | undefined {
  const { uri, index } = objectOf(artifactLocation);
  return textOf(uri)?.trim() ?? artifacts[wholeOf(index, 0) ?? -1];
}

export function logicalName(location: JsonObject, { logicalLocations }: Indices): string | undefined {
  return (
    textOf(location['fullyQualifiedName']) ??
    textOf(location['name']) ??
    logicalLocations[wholeOf(location['index'], 0) ?? -1]
  );
}

interface Around {
  readonly physical: JsonObject;
  readonly result: JsonObject;
  readonly run: RunOrigin;
}

function placeOfUri(uri: string, { physical, result, run }: Around): SarifPlace {
  if (!hasHost(uri)) return { location: { file: pathOf(uri) } };
  if (isKeptFile(uri, physical, result, run))
    return { location: { file: keptPath(pathOf(uri)) }, host: 'keeps the file' };
  const web = /^(?:https?|wss?|ftp):/i.test(uri) ? hostOfUrl(uri) : undefined;
  if (!web) return { location: { file: pathOf(uri) }, host: 'was looked at' };
  const { host, port } = web;
  const protocol = port === undefined ? undefined : 'tcp';
  const ip = isIP(host) === 0 ? undefined : host;
  return { location: { ...defined({ host, ip, port, protocol }), url: shownUrl(uri) }, host: 'was looked at' };
}

const MAX_URI = 4_000;

/** The path of a `file:` URI or relative reference, with its escapes resolved. */
export function pathOf(uri: string): string {
  const path = uri
    .slice(0, MAX_URI)
    .replace(/^file:\/\/\/(?=[a-z]:)/i, '')
    .replace(/^file:(?:\/\/(?:localhost)?(?=\/))?/i, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
