import { isAbsolute, join, relative, sep } from 'node:path';
import type { Artefact } from '../../model/scan.ts';
import { notOne, placeOf } from '../artefact-place.ts';
import type { KnownFile } from './objects.ts';

/** What a path in the cache stands for. */
export interface CachedFile {
  readonly path: string;
  /** `<scan id>/<epoch>/<name>`: the key of its object. */
  readonly key: string;
  readonly file: KnownFile;
}

/**
 * `<scan id>/<sha256>-<bytes>/<scan id>/<epoch>/<name>`: a path says all that is needed to fetch its file and to know it
 * again, and its end is what findings files are checked against.
 * @throws AppError storage_unusable for a record that names no file of its scan
 */
export function cachePath(folder: string, scanId: string, artefact: Artefact): string {
  const [scan, epoch, name] = placeOf(scanId, artefact);
  const content = `${artefact.sha256}-${artefact.bytes}`;
  if (!CONTENT.test(content)) throw notOne();
  return join(folder, scan, content, scan, epoch, name);
}

const CONTENT = /^([0-9a-f]{64})-(\d{1,15})$/;

/** Undefined for a path that is none of the cache. */
export function cachedAt(folder: string, path: string): CachedFile | undefined {
  const way = relative(folder, path);
  if (way === '' || isAbsolute(way)) return undefined;
  const [scan, content = '', again, epoch, name, ...more] = way.split(sep);
  const [, sha256, bytes] = CONTENT.exec(content) ?? [];
  if (sha256 === undefined || name === undefined || more.length > 0 || scan !== again) return undefined;
  return { path, key: [scan, epoch, name].join('/'), file: { bytes: Number(bytes), sha256 } };
}
