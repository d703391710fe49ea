import { AppError } from '../../model/errors.ts';
import { ScanState, type ScanRecord, type ScanRequest } from '../../model/scan.ts';
import type { Row } from '../../platform/sqlite.ts';
import type { StoredCheckpoint } from '../queue.ts';

const wrongCell = (key: string): AppError =>
  new AppError('storage_unusable', `The queue file holds an unexpected value in "${key}".`);

export function textOf(row: Row, key: string): string {
  const value = row[key];
  if (typeof value !== 'string') throw wrongCell(key);
  return value;
}

export function numberOf(row: Row, key: string): number {
  const value = row[key];
  if (typeof value !== 'number') throw wrongCell(key);
  return value;
}

export function optionalText(row: Row, key: string): string | undefined {
  const value = row[key];
  return typeof value === 'string' ? value : undefined;
}

export function optionalNumber(row: Row, key: string): number | undefined {
  const value = row[key];
  return typeof value === 'number' ? value : undefined;
}

const STATES: ReadonlyMap<string, ScanState> = new Map(ScanState.options.map((state) => [state, state]));

/** Whether this program knows the state of the scan; only a newer one wrote it otherwise. */
export const isReadable = (row: Row): boolean => STATES.has(textOf(row, 'state'));

/** @throws AppError data_too_new */
export function stateOf(row: Row): ScanState {
  const state = STATES.get(textOf(row, 'state'));
  if (!state) throw new AppError('data_too_new', 'The scan was written by a newer scanmux.');
  return state;
}

/**
 * JSON that this queue wrote from a typed value, in a file only its owner can write: not validated again, because
 * every status call reads it.
 */
export function jsonOf<T>(row: Row, key: string): T | undefined {
  const text = row[key];
  return typeof text === 'string' ? JSON.parse(text) : undefined;
}

/** A scan with what only the queue knows of it. */
export interface StoredScan {
  /** Order of creation. */
  readonly id: number;
  /** Place among the queued of its pool and priority; see lanes.ts. */
  readonly rank: number;
  readonly owner: string | undefined;
  readonly checkpoint: StoredCheckpoint | undefined;
  /** Kept checkpoint of a scan that may still run at the scanner: its slot stays taken. */
  readonly held: boolean;
  /** Leases lost since it was submitted or put back, without those it had no part in. */
  readonly lost: number;
  readonly record: ScanRecord;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
/** Optional columns, `null` left out. */
type Optional = Partial<Writable<ScanRecord>>;

export function storedScan(row: Row): StoredScan {
  const checkpoint = jsonOf<StoredCheckpoint>(row, 'checkpoint');
  return {
    id: numberOf(row, 'id'),
    rank: numberOf(row, 'rank'),
    owner: optionalText(row, 'owner'),
    checkpoint,
    held: numberOf(row, 'held') === 1,
    lost: numberOf(row, 'lost'),
    record: recordOf(row),
  };
}

export function recordOf(row: Row): ScanRecord {
  const request = jsonOf<ScanRequest>(row, 'request');
  if (!request) throw wrongCell('request');
  return {
    scanId: textOf(row, 'scan_id'),
    tenant: textOf(row, 'tenant'),
    traceId: textOf(row, 'trace_id'),
    request,
    requestHash: textOf(row, 'request_hash'),
    engine: textOf(row, 'engine'),
    origin: textOf(row, 'origin') === 'imported' ? 'imported' : 'run',
    state: stateOf(row),
    epoch: numberOf(row, 'epoch'),
    attempt: numberOf(row, 'attempt'),
    createdAt: numberOf(row, 'created_at'),
    cancelRequested: numberOf(row, 'cancel_requested') === 1,
    ...wordsOf(row),
    ...timesOf(row),
    ...outcomeOf(row),
  };
}

function wordsOf(row: Row): Optional {
  const found: Optional = {};
  const name = optionalText(row, 'name');
  if (name !== undefined) found.name = name;
  const description = optionalText(row, 'description');
  if (description !== undefined) found.description = description;
  const key = optionalText(row, 'idempotency_key');
  if (key !== undefined) found.idempotencyKey = key;
  const instance = optionalText(row, 'instance');
  if (instance !== undefined) found.instance = instance;
  const external = optionalText(row, 'external_scan_id');
  if (external !== undefined) found.externalScanId = external;
  return found;
}

function timesOf(row: Row): Optional {
  const found: Optional = {};
  const startedAt = optionalNumber(row, 'started_at');
  if (startedAt !== undefined) found.startedAt = startedAt;
  const finishedAt = optionalNumber(row, 'finished_at');
  if (finishedAt !== undefined) found.finishedAt = finishedAt;
  const retryAt = optionalNumber(row, 'retry_at');
  if (retryAt !== undefined) found.retryAt = retryAt;
  return found;
}

function outcomeOf(row: Row): Optional {
  const found: Optional = {};
  const progress = jsonOf<NonNullable<ScanRecord['progress']>>(row, 'progress');
  if (progress) found.progress = progress;
  const result = jsonOf<NonNullable<ScanRecord['result']>>(row, 'result');
  if (result) found.result = result;
  const error = jsonOf<NonNullable<ScanRecord['error']>>(row, 'error');
  if (error) found.error = error;
  return found;
}
