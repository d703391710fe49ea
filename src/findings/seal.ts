import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { AppError } from '../model/errors.ts';
import { SCAN_ID } from '../model/ids.ts';
import type { Database } from '../platform/sqlite.ts';

/** Hex digits of a seal that stand in the name of the file. */
const SEAL_DIGITS = 16;
const SEALED_NAME = /^findings-[0-9a-f]{16}-([0-9a-f]{16})\.db$/;

/**
 * What tells a findings file from every other: a hash of its facts (scan, attempt, engine, counts, checksum of the words)
 * and of the directory of its columns (name, length, checksum of each). It takes no longer for a large file, so every
 * open compares it with the name, which is what the record of the scan holds. The columns are compared with their
 * checksums as they are loaded.
 */
export function sealOf(db: Database): string {
  const facts = db.prepare('SELECT key, value FROM meta ORDER BY key').all();
  const columns = db.prepare('SELECT name, length(data) AS bytes, crc32 FROM columns ORDER BY name').all();
  const parts = [
    facts.map(({ key, value }) => [key, value]),
    columns.map(({ name, bytes, crc32 }) => [name, bytes, crc32]),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, SEAL_DIGITS);
}

/** The record of a scan names this file and no other. */
export const sealedName = (sha256: string, seal: string): string => `findings-${sha256.slice(0, 16)}-${seal}.db`;

/**
 * Files of scans lie in `<scan id>/<epoch>/` (artefacts.ts), and every question names one there: what was put in its place
 * must not answer for it. A file that lies elsewhere under a name of its own is nobody's.
 * @throws AppError storage_unusable
 */
export function checkSeal(
  path: string,
  owner: { readonly scanId: string; readonly epoch: string },
  db: Database,
): void {
  const attempt = dirname(path);
  const folder = basename(dirname(attempt));
  const isOfScan = SCAN_ID.test(folder);
  if (isOfScan && (folder !== owner.scanId || basename(attempt) !== owner.epoch))
    throw notThis(`${path} belongs to another scan or attempt.`);
  const named = SEALED_NAME.exec(basename(path))?.[1];
  if (named === undefined && !isOfScan) return;
  if (named !== sealOf(db))
    throw notThis(`${path} is not the file it is named after: it was changed, or another one was put in its place.`);
}

const notThis = (message: string): AppError =>
  new AppError('storage_unusable', message, {
    hint: 'Operator: restore the file of this scan from a copy, or run the scan again.',
  });
