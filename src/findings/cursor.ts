import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { AppError } from '../model/errors.ts';
import type { FindingQuery } from './findings.ts';

const VERSION = 2;

/**
 * What a cursor belongs to: the scan, the findings file, the suppressions and everything of the query that decides what
 * comes in which order. The budget may change from page to page.
 * @param suppressions Their version.
 */
export function queryHash(file: string, scanId: string, query: FindingQuery, suppressions: string): string {
  const { cursor: _cursor, max_tokens: _budget, ...shape } = query;
  const sorted = Object.entries(shape)
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([basename(file), scanId, suppressions, sorted]))
    .digest('hex');
}

const seal = (hash: string, position: number): string =>
  createHash('sha256').update(`${VERSION} ${hash} ${position}`).digest('hex').slice(0, 20);

/** @param position The finding number (or, in groups, the rank) of the last item that was shown. */
export const encodeCursor = (hash: string, position: number): string =>
  Buffer.from(`${VERSION}.${position}.${seal(hash, position)}`).toString('base64url');

/**
 * The position a cursor continues after; 0 without one.
 * @throws AppError cursor_invalid for anything but a cursor of the same query, byte for byte.
 */
export function decodeCursor(hash: string, cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  const [, position] = Buffer.from(cursor, 'base64url').toString('latin1').split('.');
  const number = Number(position);
  if (Number.isSafeInteger(number) && number > 0 && encodeCursor(hash, number) === cursor) return number;
  throw new AppError('cursor_invalid', 'The cursor does not belong to this query.');
}
