import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { ScanRecord } from '../../model/scan.ts';
import type { Row } from '../../platform/sqlite.ts';
import type { IndexedScan, LatestLook, Look, ScanIndex } from '../scan-index.ts';
import { numberOf, optionalNumber, recordOf, textOf } from './row.ts';
import { change, many, one, type Store } from './store.ts';

/** Places entered in one transaction, and read at once: others get their turn in between. */
const BATCH = 1_000;

/** Stands in the column of engines for a place nobody could look at. */
const NOBODY = '';

const MISSING = `SELECT * FROM scans AS s
  WHERE s.tenant = ? AND s.state IN ('completed', 'failed', 'timed_out', 'cancelled') AND s.result IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM indexed_scans AS i WHERE i.scan_id = s.scan_id)
  ORDER BY s.finished_at, s.id LIMIT ?`;

const ENTER = `INSERT INTO latest_looks (tenant, place, engine, scan_id, finished_at, scan, also) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (tenant, place, engine) DO UPDATE
  SET scan_id = excluded.scan_id, finished_at = excluded.finished_at, scan = excluded.scan, also = excluded.also
  WHERE (excluded.finished_at, excluded.scan) >= (latest_looks.finished_at, latest_looks.scan)`;
const FIND_BY = 'INSERT OR IGNORE INTO look_words (tenant, word, place) VALUES (?, ?, ?)';

const SHOWN = 'SELECT place, engine, scan_id, finished_at, scan, also FROM latest_looks WHERE tenant = ?';
const PART = `${SHOWN} AND (place, engine) > (?, ?) ORDER BY place, engine LIMIT ${BATCH}`;
const AT = `${SHOWN} AND place IN (SELECT ? UNION SELECT place FROM look_words WHERE tenant = ? AND word = ?)
  ORDER BY place, engine`;
const UNPLACED = `SELECT DISTINCT place FROM latest_looks WHERE tenant = ? AND also IS NULL ORDER BY place LIMIT ?`;

/** The index in the tables of the queue's file. */
export function createScanIndex(store: Store): ScanIndex {
  return {
    missing: async (tenant, limit): Promise<readonly ScanRecord[]> => many(store, MISSING, tenant, limit).map(recordOf),
    add: (scan, looks) => add(store, scan, looks),
    latest: (tenant) => latest(store, tenant),
    latestAt: async (tenant, word) => many(store, AT, tenant, word, tenant, word).map(lookOf),
    unplaced: async (tenant, most) => many(store, UNPLACED, tenant, most).map((row) => textOf(row, 'place')),
  };
}

/** Each part is read by itself, so that no read stays open while others work. */
async function* latest(store: Store, tenant: string): AsyncGenerator<readonly LatestLook[]> {
  let last = { place: '', engine: NOBODY };
  for (;;) {
    const looks = many(store, PART, tenant, last.place, last.engine).map(lookOf);
    const end = looks.at(-1);
    if (end === undefined) return;
    yield looks;
    await yieldToOthers();
    last = { place: end.place, engine: end.engine ?? NOBODY };
  }
}

/** In several transactions; only the last one says that the scan is in. */
async function add(store: Store, scan: IndexedScan, looks: AsyncIterable<readonly Look[]>): Promise<void> {
  const { tenant, scanId } = scan;
  const known = one(store, KNOWN, scanId, tenant);
  if (known === undefined) return;
  for await (const part of looks) {
    for (let from = 0; from < part.length; from += BATCH) {
      await store.write(() => enter(store, scan, numberOf(known, 'id'), part.slice(from, from + BATCH)));
      await yieldToOthers();
    }
  }
  await store.write(() => {
    // It may have been removed or started again meanwhile.
    const isThere = one(store, KNOWN, scanId, tenant) !== undefined;
    if (isThere) change(store, 'INSERT OR IGNORE INTO indexed_scans (scan_id) VALUES (?)', scanId);
    else unindex(store, tenant, [numberOf(known, 'id')]);
  });
}

function enter(store: Store, scan: IndexedScan, order: number, looks: readonly Look[]): void {
  const { tenant, scanId, engine, finishedAt } = scan;
  for (const { place, isLooked, also, findBy = [] } of looks) {
    const words = also === 'unknown' ? null : also.join('\n');
    change(store, ENTER, tenant, place, isLooked ? engine : NOBODY, scanId, finishedAt, order, words);
    for (const word of [...(also === 'unknown' ? [] : also), ...findBy]) {
      if (word !== place) change(store, FIND_BY, tenant, word, place);
    }
  }
}

const KNOWN = 'SELECT id FROM scans WHERE scan_id = ? AND tenant = ? AND result IS NOT NULL';

function lookOf(row: Row): LatestLook {
  const engine = textOf(row, 'engine');
  const also = row['also'];
  return {
    place: textOf(row, 'place'),
    also: typeof also !== 'string' ? 'unknown' : also === '' ? [] : also.split('\n'),
    ...(engine === NOBODY ? {} : { engine }),
    scanId: textOf(row, 'scan_id'),
    finishedAt: numberOf(row, 'finished_at'),
    order: numberOf(row, 'scan'),
  };
}

/**
 * Takes scans whose results are gone out of the index, in the caller's transaction. The scans they had taken the place of
 * are only known to the files: those of the tenant that are no newer are entered anew, when somebody asks next.
 * @param ids Of scans of this tenant that are still in the table.
 */
export function unindex(store: Store, tenant: string, ids: readonly number[]): void {
  const listed = JSON.stringify(ids);
  const newest = optionalNumber(one(store, NEWEST_LOOK, listed) ?? {}, 'at');
  change(store, 'DELETE FROM latest_looks WHERE scan IN (SELECT value FROM json_each(?))', listed);
  change(store, `DELETE FROM indexed_scans WHERE scan_id IN (${SCAN_IDS})`, listed);
  if (newest !== undefined) change(store, FORGET_OLDER, tenant, newest);
}

const SCAN_IDS = 'SELECT scan_id FROM scans WHERE id IN (SELECT value FROM json_each(?))';
const NEWEST_LOOK = `SELECT max(finished_at) AS at FROM latest_looks WHERE scan IN (SELECT value FROM json_each(?))`;
const FORGET_OLDER = `DELETE FROM indexed_scans
  WHERE scan_id IN (SELECT scan_id FROM scans WHERE tenant = ? AND finished_at <= ?)`;
