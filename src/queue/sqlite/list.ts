import type { ScanRequest } from '../../model/scan.ts';
import type { SqlValue } from '../../platform/sqlite.ts';
import { readCursor, writeCursor, wrongCursor } from '../list-cursor.ts';
import type { ListFilter, ListPage } from '../queue.ts';
import { isReadable, jsonOf, numberOf, textOf } from './row.ts';
import { many, one, type Store } from './store.ts';
import { withPosition } from './submit.ts';

/** Newest first, by order of creation: a clock that was set back does not shuffle pages. */
export function list(store: Store, tenant: string, filter: ListFilter): ListPage {
  const { where, values } = condition(tenant, filter);
  const before = orderOf(store, tenant, readCursor(tenant, filter));
  const { ids, total } = filter.matchesTargets
    ? matching(store, where, values, filter, filter.matchesTargets, before)
    : plain(store, where, values, filter, before);
  const page = ids.slice(0, filter.limit);
  const rows = page.flatMap((id) => many(store, 'SELECT * FROM scans WHERE id = ?', id));
  const readable = rows.filter(isReadable);
  const last = rows.at(-1);
  const more = ids.length > filter.limit && last !== undefined;
  return {
    scans: readable.map((row) => withPosition(store, row)),
    total,
    unreadable: rows.length - readable.length,
    ...(more ? { nextCursor: writeCursor(textOf(last, 'scan_id'), tenant, filter) } : {}),
  };
}

/** @throws AppError cursor_invalid */
function orderOf(store: Store, tenant: string, scanId: string | undefined): number | undefined {
  if (scanId === undefined) return undefined;
  const row = one(store, 'SELECT id FROM scans WHERE scan_id = ? AND tenant = ?', scanId, tenant);
  if (!row) throw wrongCursor();
  return numberOf(row, 'id');
}

/** Ids after the cursor, at least one more than the page holds when there are more. */
interface Found {
  readonly ids: readonly number[];
  readonly total: number;
}

function plain(
  store: Store,
  where: string,
  values: readonly SqlValue[],
  { limit }: ListFilter,
  before?: number,
): Found {
  const total = numberOf(one(store, `SELECT count(*) AS n FROM scans WHERE ${where}`, ...values) ?? {}, 'n');
  const sql = `SELECT id FROM scans WHERE ${where} AND id < ? ORDER BY id DESC LIMIT ?`;
  const rows = many(store, sql, ...values, before ?? Number.MAX_SAFE_INTEGER, limit + 1);
  return { ids: rows.map((row) => numberOf(row, 'id')), total };
}

function matching(
  store: Store,
  where: string,
  values: readonly SqlValue[],
  { limit }: ListFilter,
  accepts: (targets: readonly string[]) => boolean,
  before = Infinity,
): Found {
  const ids: number[] = [];
  let total = 0;
  const rows = store.db.prepare(`SELECT id, request FROM scans WHERE ${where} ORDER BY id DESC`).iterate(...values);
  for (const row of rows) {
    if (!accepts(jsonOf<ScanRequest>(row, 'request')?.targets ?? [])) continue;
    total += 1;
    const id = numberOf(row, 'id');
    if (id < before && ids.length <= limit) ids.push(id);
  }
  return { ids, total };
}

function condition(tenant: string, filter: ListFilter): { where: string; values: readonly SqlValue[] } {
  const clauses: readonly (readonly [string, SqlValue | undefined])[] = [
    ['tenant = ?', tenant],
    ['state = ?', filter.state],
    ['pool = ?', filter.pool],
    ['project_id = ?', filter.projectId],
    ['created_at >= ?', filter.createdAfter],
    ['created_at < ?', filter.createdBefore],
  ];
  const used = clauses.filter(([, value]) => value !== undefined);
  return { where: used.map(([sql]) => sql).join(' AND '), values: used.map(([, value]) => value ?? null) };
}
