import { createHash } from 'node:crypto';
import { AppError } from '../model/errors.ts';
import { SCAN_ID } from '../model/ids.ts';
import type { ListFilter } from './queue.ts';

/** A cursor is only good for the query it came from. */
function bindingOf(tenant: string, filter: ListFilter): string {
  const { state, pool, projectId, createdAfter, createdBefore, matchesTargets, targetKey } = filter;
  const asked = [state, pool, projectId, createdAfter, createdBefore, matchesTargets !== undefined, targetKey];
  const parts = JSON.stringify([tenant, ...asked.map((value) => value ?? null)]);
  return createHash('sha256').update(parts).digest('base64url').slice(0, 12);
}

/**
 * @param last Id of the last scan of a page. Its order of creation counts the scans of all tenants, so it stays inside.
 */
export const writeCursor = (last: string, tenant: string, filter: ListFilter): string =>
  Buffer.from(`${last}.${bindingOf(tenant, filter)}`).toString('base64url');

/**
 * The scan that the cursor was written with; undefined without one. The next page lies before it.
 * @throws AppError cursor_invalid
 */
export function readCursor(tenant: string, filter: ListFilter): string | undefined {
  if (filter.cursor === undefined) return undefined;
  const [scanId = '', binding] = Buffer.from(filter.cursor, 'base64url').toString('latin1').split('.');
  if (!SCAN_ID.test(scanId) || binding !== bindingOf(tenant, filter)) throw wrongCursor();
  return scanId;
}

/** Also for one whose scan has been removed since. */
export const wrongCursor = (): AppError => new AppError('cursor_invalid', 'This cursor does not belong to this list.');
