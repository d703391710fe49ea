import { createHash } from 'node:crypto';
import { AppError } from '../model/errors.ts';
import type { ListFilter } from './queue.ts';

/** A cursor is only good for the query it came from. */
function bindingOf(tenant: string, filter: ListFilter): string {
  const { state, pool, projectId, createdAfter, createdBefore, matchesTargets, targetKey } = filter;
  const asked = [state, pool, projectId, createdAfter, createdBefore, matchesTargets !== undefined, targetKey];
  const parts = JSON.stringify([tenant, ...asked.map((value) => value ?? null)]);
  return createHash('sha256').update(parts).digest('base64url').slice(0, 12);
}

/** @param last Order of creation of the last scan of a page. */
export const writeCursor = (last: number, tenant: string, filter: ListFilter): string =>
  Buffer.from(`${last}.${bindingOf(tenant, filter)}`).toString('base64url');

/**
 * The number that the cursor was written with; undefined without one. The next page lies before it.
 * @throws AppError cursor_invalid
 */
export function readCursor(tenant: string, filter: ListFilter): number | undefined {
  if (filter.cursor === undefined) return undefined;
  const match = /^([1-9]\d{0,15})\.([\w-]{12})$/.exec(Buffer.from(filter.cursor, 'base64url').toString('latin1'));
  if (!match || match[2] !== bindingOf(tenant, filter)) {
    throw new AppError('cursor_invalid', 'This cursor does not belong to this list.');
  }
  return Number(match[1]);
}
