import { isIP } from 'node:net';
import type { z } from 'zod';
import type { Location } from '../../model/finding.ts';
import { defined, listOf, objectOf, textOf, wholeOf, type JsonObject } from '../json-fields.ts';
import { hostOfUrl, shownUrl } from '../web-place.ts';

type LocationInput = z.input<typeof Location>;

/** Lists of a run that results point into by index; `undefined` where an element says nothing. */
export interface Indices {
  readonly artifacts: readonly (string | undefined)[];
  readonly logicalLocations: readonly (string | undefined)[];
}

/**
 * Where a result is: its first physical location, else its first logical one, else what was analysed. A web address is
 * a web place. `uriBaseId` is left out on purpose: where the sources lay is different on every machine, and a relative
 * path is the same everywhere.
 */
export function sarifPlace(result: JsonObject, indices: Indices): LocationInput {
  const locations = listOf(result['locations']).slice(0, 100).map(objectOf);
  const physical = locations
    .map((location) => objectOf(location['physicalLocation']))
    .find((one) => uriOf(one['artifactLocation'], indices));
  if (physical) {
    const line = wholeOf(objectOf(physical['region'])['startLine'], 1);
    return { ...placeOfUri(uriOf(physical['artifactLocation'], indices) ?? ''), ...defined({ line }) };
  }
  const logical = locations
    .flatMap((location) => [location['logicalLocation'], ...listOf(location['logicalLocations'])])
    .map((one) => logicalName(objectOf(one), indices))
    .find((name) => name !== undefined);
  if (logical !== undefined) return { file: logical };
  const analysed = uriOf(result['analysisTarget'], indices);
  return analysed === undefined ? {} : placeOfUri(analysed);
}

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

function placeOfUri(uri: string): LocationInput {
  const web = /^(?:https?|wss?|ftp):/i.test(uri) ? hostOfUrl(uri) : undefined;
  if (!web) return { file: pathOf(uri) };
  const { host, port } = web;
  const protocol = port === undefined ? undefined : 'tcp';
  return { ...defined({ host, ip: isIP(host) === 0 ? undefined : host, port, protocol }), url: shownUrl(uri) };
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
