import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { ScanRecord } from '../../model/scan.ts';
import type { Row } from '../../platform/sqlite.ts';
import type { IndexedScan, LatestLook, ScanIndex } from '../scan-index.ts';
import { numberOf, recordOf, textOf } from './row.ts';
import { change, many, type Store } from './store.ts';

/** Places entered in one transaction: others get their turn in between. */
const BATCH = 1_000;

/** Stands in the column of engines for a place nobody could look at. */
const NOBODY = '';

const MISSING = `SELECT * FROM scans AS s
  WHERE s.tenant = ? AND s.state IN ('completed', 'failed', 'timed_out', 'cancelled') AND s.result IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM indexed_scans AS i WHERE i.scan_id = s.scan_id)
  ORDER BY s.finished_at, s.id LIMIT ?`;

const ENTER = `INSERT INTO latest_looks (tenant, place, engine, scan_id, finished_at) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (tenant, place, engine) DO UPDATE SET scan_id = excluded.scan_id, finished_at = excluded.finished_at
  WHERE (excluded.finished_at, excluded.scan_id) > (latest_looks.finished_at, latest_looks.scan_id)`;

const SHOWN = 'SELECT place, engine, scan_id, finished_at FROM latest_looks';

/** The index in the tables of the queue's file. */
export function createScanIndex(store: Store): ScanIndex {
  return {
    missing: async (tenant, limit): Promise<readonly ScanRecord[]> => many(store, MISSING, tenant, limit).map(recordOf),
    add: (scan) => add(store, scan),
    latest: async (tenant) => many(store, `${SHOWN} WHERE tenant = ? ORDER BY place, engine`, tenant).map(lookOf),
    latestAt: async (tenant, place) =>
      many(store, `${SHOWN} WHERE tenant = ? AND place = ? ORDER BY engine`, tenant, place).map(lookOf),
  };
}

/** In several transactions; only the last one says that the scan is in. */
async function add(store: Store, { tenant, scanId, engine, finishedAt, looked, missed }: IndexedScan): Promise<void> {
  const entries = [
    ...looked.map((place) => [place, engine] as const),
    ...missed.map((place) => [place, NOBODY] as const),
  ];
  for (let from = 0; from < entries.length; from += BATCH) {
    await store.write(() => {
      for (const [place, by] of entries.slice(from, from + BATCH)) {
        change(store, ENTER, tenant, place, by, scanId, finishedAt);
      }
    });
    await yieldToOthers();
  }
  await store.write(() => {
    // It may have been removed or started again meanwhile.
    const isThere = many(store, MISSING_ONE, scanId, tenant).length > 0;
    if (isThere) change(store, 'INSERT OR IGNORE INTO indexed_scans (scan_id) VALUES (?)', scanId);
    else change(store, 'DELETE FROM latest_looks WHERE tenant = ? AND scan_id = ?', tenant, scanId);
  });
}

const MISSING_ONE = `SELECT 1 FROM scans WHERE scan_id = ? AND tenant = ? AND result IS NOT NULL`;

function lookOf(row: Row): LatestLook {
  const engine = textOf(row, 'engine');
  return {
    place: textOf(row, 'place'),
    ...(engine === NOBODY ? {} : { engine }),
    scanId: textOf(row, 'scan_id'),
    finishedAt: numberOf(row, 'finished_at'),
  };
}

/**
 * Takes a scan whose results are gone out of the index, in the caller's transaction. The scans it had taken the place of
 * are only known to the files: all of the tenant are entered anew, when somebody asks next.
 */
export function unindex(store: Store, tenant: string, scanId: string): void {
  const looks = change(store, 'DELETE FROM latest_looks WHERE tenant = ? AND scan_id = ?', tenant, scanId);
  change(store, 'DELETE FROM indexed_scans WHERE scan_id = ?', scanId);
  if (looks === 0) return;
  change(store, 'DELETE FROM indexed_scans WHERE scan_id IN (SELECT scan_id FROM scans WHERE tenant = ?)', tenant);
}
