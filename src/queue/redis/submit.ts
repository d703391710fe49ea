import { AppError } from '../../model/errors.ts';
import type { ScanRecord } from '../../model/scan.ts';
import type { NewScan, Submitted } from '../queue.ts';
import { givenText, recordOf } from './record.ts';
import { listOf, numberOf, textOf } from './reply.ts';
import { SUBMIT, WOULD_DEDUPLICATE } from './scripts/submit.ts';
import type { RedisStore } from './store.ts';

const HOUR_MS = 3_600_000;
/** In milliseconds. */
export const keyLifetime = ({ settings }: RedisStore): number => settings.idempotencyHours * HOUR_MS;

export async function submit(store: RedisStore, scan: NewScan): Promise<Submitted> {
  const { request } = scan;
  const reply = await store.run(
    SUBMIT,
    scan.scanId,
    scan.tenant,
    scan.idempotencyKey ?? '',
    scan.requestHash,
    keyLifetime(store),
    request.pool,
    request.priority,
    request.pinned_instance ?? '',
    request.project_id ?? '',
    request.max_duration_minutes,
    request.targets.length,
    givenText(scan),
  );
  const [kind, createdAt, position] = listOf(reply);
  if (kind === 'new') return { scan: newRecord(scan, numberOf(createdAt), numberOf(position)), deduplicated: false };
  return answered(reply) ?? unexpected();
}

/** What was stored, without asking for it. */
const newRecord = (scan: NewScan, createdAt: number, position: number): ScanRecord => ({
  ...scan,
  origin: 'run',
  state: 'queued',
  epoch: 0,
  attempt: 0,
  cancelRequested: false,
  createdAt,
  position,
});

export async function wouldDeduplicateTo(
  store: RedisStore,
  { tenant, idempotencyKey, requestHash }: Pick<NewScan, 'tenant' | 'idempotencyKey' | 'requestHash'>,
): Promise<ScanRecord | undefined> {
  const reply = await store.run(WOULD_DEDUPLICATE, tenant, idempotencyKey ?? '', requestHash, keyLifetime(store));
  return answered(reply)?.scan;
}

function unexpected(): never {
  throw new AppError('internal_error', 'Redis gave an unexpected reply.');
}

/** @throws AppError idempotency_conflict */
function answered(reply: unknown): Submitted | undefined {
  const [kind, what] = listOf(reply);
  switch (kind) {
    case 'none':
      return undefined;
    case 'made':
      return { scan: recordOf(what), deduplicated: false };
    case 'idempotency_key':
    case 'live_twin':
      return { scan: recordOf(what), deduplicated: kind };
    case 'conflict':
      throw new AppError('idempotency_conflict', `The idempotency key was used for another request, ${textOf(what)}.`);
    case 'removed':
      throw new AppError('idempotency_conflict', `The idempotency key belongs to ${textOf(what)}, which was removed.`);
    default:
      return unexpected();
  }
}
