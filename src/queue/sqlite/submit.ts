import { AppError } from '../../model/errors.ts';
import type { ScanRecord } from '../../model/scan.ts';
import type { Row } from '../../platform/sqlite.ts';
import type { NewScan, Submitted } from '../queue.ts';
import { nextRank } from './lanes.ts';
import { countNew, positionOf } from './ranks.ts';
import { numberOf, recordOf, textOf } from './row.ts';
import { hoursMs, one, change, type Store } from './store.ts';

const INSERT = `
INSERT INTO scans (scan_id, tenant, trace_id, name, description, idempotency_key, request, request_hash, engine, pool,
  priority, project_id, pinned, state, rank, bound, created_at, queued_at, event_seq)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'queued', ?14, coalesce(?13, ''), ?15, ?15, 1)`;

const FREE_SPACE_CHECK_MS = 1_000;
const KEY_SWEEP_MS = 600_000;

export interface Submitting {
  submit(scan: NewScan): Promise<Submitted>;
  wouldDeduplicateTo(scan: Pick<NewScan, 'tenant' | 'idempotencyKey' | 'requestHash'>): ScanRecord | undefined;
}

export function createSubmitting(store: Store): Submitting {
  const checkSpace = createSpaceCheck(store);
  const sweepKeys = createKeySweep(store);
  return {
    async submit(scan) {
      checkSpace();
      const submitted = await store.write(() => {
        sweepKeys();
        return existing(store, scan) ?? insert(store, scan);
      });
      if (!submitted.deduplicated) store.jobs.ring(); // nobody can wait for events of a scan that was not there
      return submitted;
    },
    wouldDeduplicateTo: (scan) => existing(store, scan)?.scan,
  };
}

type Asked = Pick<NewScan, 'tenant' | 'idempotencyKey' | 'requestHash'>;

function existing(store: Store, scan: Asked): Submitted | undefined {
  if (scan.idempotencyKey === undefined) return liveTwin(store, scan);
  const held = one(
    store,
    'SELECT scan_id, request_hash FROM idempotency WHERE tenant = ? AND key = ? AND created_at > ?',
    scan.tenant,
    scan.idempotencyKey,
    store.clock.now() - hoursMs(store.settings.idempotencyHours),
  );
  if (!held) return undefined;
  const scanId = textOf(held, 'scan_id');
  if (textOf(held, 'request_hash') !== scan.requestHash) {
    throw new AppError('idempotency_conflict', `The idempotency key was used for another request, ${scanId}.`);
  }
  const row = one(store, 'SELECT * FROM scans WHERE scan_id = ?', scanId);
  if (!row) throw new AppError('idempotency_conflict', `The idempotency key belongs to ${scanId}, which was removed.`);
  return { scan: withPosition(store, row), deduplicated: 'idempotency_key' };
}

/** A scan that is being cancelled is no twin: who asks again wants a scan that runs. */
function liveTwin(store: Store, { tenant, requestHash }: Asked): Submitted | undefined {
  const id = one(
    store,
    `SELECT id FROM scans WHERE tenant = ? AND request_hash = ? AND state IN ('queued', 'running', 'retrying')
     AND cancel_requested = 0 ORDER BY id LIMIT 1`,
    tenant,
    requestHash,
  )?.['id'];
  const row = id === undefined ? undefined : one(store, 'SELECT * FROM scans WHERE id = ?', id);
  return row && { scan: withPosition(store, row), deduplicated: 'live_twin' };
}

function insert(store: Store, scan: NewScan): Submitted {
  const { request, tenant } = scan;
  const { pool, priority } = request;
  const now = store.clock.now();
  const rank = nextRank(store, pool, priority, tenant);
  const { lastRowId } = store.db
    .prepare(INSERT)
    .run(
      scan.scanId,
      tenant,
      scan.traceId,
      scan.name ?? null,
      scan.description ?? null,
      scan.idempotencyKey ?? null,
      JSON.stringify(request),
      scan.requestHash,
      scan.engine,
      pool,
      priority,
      request.project_id ?? null,
      request.pinned_instance ?? null,
      rank,
      now,
    );
  countNew(store, { pool, priority, rank });
  if (scan.idempotencyKey !== undefined) holdKey(store, scan, scan.idempotencyKey, now);
  const { engine, requestHash, ...rest } = scan;
  const position = positionOf(store, { pool, priority, rank }, lastRowId);
  const made = {
    ...rest,
    requestHash,
    engine,
    origin: 'run',
    state: 'queued',
    epoch: 0,
    attempt: 0,
    cancelRequested: false,
  } as const;
  return { scan: { ...made, createdAt: now, position }, deduplicated: false };
}

const holdKey = (store: Store, { tenant, scanId, requestHash }: NewScan, key: string, now: number): number =>
  change(
    store,
    'INSERT OR REPLACE INTO idempotency (tenant, key, scan_id, request_hash, created_at) VALUES (?, ?, ?, ?, ?)',
    tenant,
    key,
    scanId,
    requestHash,
    now,
  );

/** A record with its position while it is queued. */
export function withPosition(store: Store, row: Row): ScanRecord {
  const scan = recordOf(row);
  if (scan.state !== 'queued') return scan;
  const { pool, priority } = scan.request;
  return { ...scan, position: positionOf(store, { pool, priority, rank: numberOf(row, 'rank') }, numberOf(row, 'id')) };
}

/** @returns a check that throws storage_full when less than the reserve is free. */
export function createSpaceCheck({ clock, freeBytes, settings }: Store): () => void {
  let checkedAt = -Infinity;
  let free = Infinity;
  return () => {
    const now = clock.monotonic();
    if (now - checkedAt >= FREE_SPACE_CHECK_MS) {
      free = freeBytes();
      checkedAt = now;
    }
    if (free >= settings.reserveBytes) return;
    const [freeMb, reserveMb] = [free, settings.reserveBytes].map((bytes) => Math.floor(bytes / 1e6));
    throw new AppError('storage_full', `Only ${freeMb} MB are free; ${reserveMb} MB are kept for running scans.`);
  };
}

function createKeySweep(store: Store): () => void {
  let sweptAt = store.clock.monotonic();
  return () => {
    const now = store.clock.monotonic();
    if (now - sweptAt < KEY_SWEEP_MS) return;
    sweptAt = now;
    const oldest = store.clock.now() - hoursMs(store.settings.idempotencyHours);
    change(store, 'DELETE FROM idempotency WHERE created_at <= ?', oldest);
  };
}
