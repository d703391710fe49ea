import type { ScanRecord } from '../../model/scan.ts';
import type { Imported, NewImport } from '../queue.ts';
import { countFindings } from './counts.ts';
import { numberOf, recordOf } from './row.ts';
import { hoursMs, one, type Store } from './store.ts';
import { createSpaceCheck } from './submit.ts';
import { appendEvent } from './transition.ts';

const INSERT = `
INSERT INTO scans (scan_id, tenant, trace_id, name, request, request_hash, engine, pool, priority, state, rank, bound,
  epoch, created_at, queued_at, started_at, finished_at, result, result_epoch, event_seq, origin)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'completed', 0, '', 1, ?10, ?10, ?11, ?12, ?13, 1, 1, 'imported')
RETURNING *`;

export interface Imports {
  record(scan: NewImport): Promise<Imported>;
  recent(tenant: string, requestHash: string): ScanRecord | undefined;
}

export function createImports(store: Store): Imports {
  const checkSpace = createSpaceCheck(store);
  return {
    async record(scan) {
      checkSpace();
      const imported = await store.write(() => {
        const known = recent(store, scan.tenant, scan.requestHash);
        return known ? { scan: known, deduplicated: true } : { scan: insert(store, scan), deduplicated: false };
      });
      if (!imported.deduplicated) store.events.ring();
      return imported;
    },
    recent: (tenant, requestHash) => recent(store, tenant, requestHash),
  };
}

function recent(store: Store, tenant: string, requestHash: string): ScanRecord | undefined {
  const row = one(
    store,
    `SELECT * FROM scans WHERE origin = 'imported' AND tenant = ? AND request_hash = ? AND created_at > ?
     ORDER BY created_at DESC LIMIT 1`,
    tenant,
    requestHash,
    store.clock.now() - hoursMs(store.settings.idempotencyHours),
  );
  return row && recordOf(row);
}

function insert(store: Store, scan: NewImport): ScanRecord {
  const { request, result } = scan;
  const row =
    one(
      store,
      INSERT,
      scan.scanId,
      scan.tenant,
      scan.traceId,
      scan.name ?? null,
      JSON.stringify(request),
      scan.requestHash,
      scan.engine,
      request.pool,
      request.priority,
      store.clock.now(),
      scan.startedAt ?? null,
      scan.finishedAt,
      JSON.stringify(result),
    ) ?? {};
  appendEvent(store, numberOf(row, 'id'), 1);
  countFindings(store, scan.engine, result);
  return recordOf(row);
}
