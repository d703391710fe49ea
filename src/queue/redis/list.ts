import type { ScanRecord } from '../../model/scan.ts';
import { readCursor, writeCursor, wrongCursor } from '../list-cursor.ts';
import type { ListFilter, ListPage } from '../queue.ts';
import { jsonOf, recordOf } from './record.ts';
import { isNothing, listOf, numberOf, textOf } from './reply.ts';
import { ORDER, PAGE, RECORDS, WALK } from './scripts/list.ts';
import type { RedisStore } from './store.ts';

/** Scans looked at in one step, so that a long list does not hold up the server. */
const WALKED_AT_ONCE = 500;

/** Newest first, by order of creation: a clock that was set back does not shuffle pages. */
export async function list(store: RedisStore, tenant: string, filter: ListFilter): Promise<ListPage> {
  const before = await orderOf(store, tenant, readCursor(tenant, filter));
  const isPlain =
    filter.pool === undefined &&
    filter.projectId === undefined &&
    filter.createdAfter === undefined &&
    filter.createdBefore === undefined &&
    filter.matchesTargets === undefined;
  const { found, total } = isPlain
    ? await plain(store, tenant, filter, before)
    : await matching(store, tenant, filter, before);
  const page = found.slice(0, filter.limit);
  const last = page.at(-1);
  const more = found.length > filter.limit && last !== undefined;
  const scans = page.flatMap(({ scan }) => scan ?? []);
  return {
    scans,
    total,
    unreadable: page.length - scans.length,
    ...(more ? { nextCursor: writeCursor(last.scanId, tenant, filter) } : {}),
  };
}

/** @throws AppError cursor_invalid */
async function orderOf(store: RedisStore, tenant: string, scanId: string | undefined): Promise<number | undefined> {
  if (scanId === undefined) return undefined;
  const order = await store.run(ORDER, tenant, scanId);
  if (isNothing(order)) throw wrongCursor();
  return numberOf(order);
}

interface Entry {
  /** Order of creation. */
  readonly order: number;
  readonly scanId: string;
  /** Undefined when only a newer program can read it. */
  readonly scan: ScanRecord | undefined;
}

const listedOf = (reply: unknown): ScanRecord | undefined => (reply === 'newer' ? undefined : recordOf(reply));

/** Scans after the cursor, one more than the page holds when there are more. */
interface Found {
  readonly found: readonly Entry[];
  readonly total: number;
}

async function plain(store: RedisStore, tenant: string, { state, limit }: ListFilter, before?: number): Promise<Found> {
  const reply = await store.run(PAGE, tenant, state ?? 'all', before ?? '+inf', limit + 1);
  const [total, entries] = listOf(reply);
  const found = listOf(entries).map((entry): Entry => {
    const [order, scanId, scan] = listOf(entry);
    return { order: numberOf(order), scanId: textOf(scanId), scan: listedOf(scan) };
  });
  return { found, total: numberOf(total) };
}

/** What a filter looks at. */
interface Walked {
  readonly order: number;
  readonly scanId: string;
  readonly pool: string;
  readonly projectId: string;
  readonly createdAt: number;
  readonly given: string;
}

/** The total is that of all, so all are looked at. */
async function matching(store: RedisStore, tenant: string, filter: ListFilter, before = Infinity): Promise<Found> {
  const chosen: Walked[] = [];
  let total = 0;
  let from: number | undefined;
  for (;;) {
    const part = await walk(store, tenant, filter, from);
    for (const scan of part.filter((each) => accepts(each, filter))) {
      total += 1;
      if (scan.order < before && chosen.length <= filter.limit) chosen.push(scan);
    }
    from = part.at(-1)?.order;
    if (from === undefined) break;
  }
  if (chosen.length === 0) return { found: [], total };
  const records = listOf(await store.run(RECORDS, ...chosen.map(({ scanId }) => scanId)));
  const found = chosen.flatMap(({ order, scanId }, index): Entry[] =>
    isNothing(records[index]) ? [] : [{ order, scanId, scan: listedOf(records[index]) }],
  );
  return { found, total };
}

async function walk(store: RedisStore, tenant: string, filter: ListFilter, before?: number): Promise<Walked[]> {
  const wantsTargets = filter.matchesTargets ? '1' : '';
  const reply = await store.run(WALK, tenant, filter.state ?? 'all', before ?? '+inf', WALKED_AT_ONCE, wantsTargets);
  return listOf(reply).map((entry): Walked => {
    const [order, scanId, pool, projectId, createdAt, given] = listOf(entry);
    return {
      order: numberOf(order),
      scanId: textOf(scanId),
      pool: textOf(pool),
      projectId: textOf(projectId),
      createdAt: numberOf(createdAt),
      given: textOf(given),
    };
  });
}

function accepts(scan: Walked, { pool, projectId, createdAfter, createdBefore, matchesTargets }: ListFilter): boolean {
  return (
    (pool === undefined || scan.pool === pool) &&
    (projectId === undefined || scan.projectId === projectId) &&
    scan.createdAt >= (createdAfter ?? -Infinity) &&
    scan.createdAt < (createdBefore ?? Infinity) &&
    (matchesTargets === undefined || matchesTargets(targetsOf(scan.given)))
  );
}

const targetsOf = (given: string): readonly string[] =>
  jsonOf<Pick<ScanRecord, 'request'>>(given === '' ? undefined : given)?.request.targets ?? [];
