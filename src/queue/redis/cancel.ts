import { AppError } from '../../model/errors.ts';
import type { ScanRecord } from '../../model/scan.ts';
import type { CancelEffect } from '../queue.ts';
import { recordOf } from './record.ts';
import { isNothing, listOf, textOf, textsOf } from './reply.ts';
import { newRequestId } from './request-id.ts';
import { CANCEL, DEAD_BEFORE, PURGE_DEAD, RETRY_DEAD } from './scripts/cancel.ts';
import { DEAD_LETTERS } from './scripts/read.ts';
import type { RedisStore } from './store.ts';

const PURGED_AT_ONCE = 200;

const notFound = (scanId: string): AppError => new AppError('scan_not_found', `There is no scan ${scanId}.`);

const EFFECTS: ReadonlyMap<unknown, CancelEffect> = new Map(
  (['removed', 'signalled', 'already_final'] as const).map((effect) => [effect, effect]),
);

export async function cancel(
  store: RedisStore,
  tenant: string,
  scanId: string,
  reason?: string,
): Promise<{ effect: CancelEffect; scan: ScanRecord }> {
  const reply = await store.run(CANCEL, tenant, scanId, newRequestId(), reason ?? '');
  if (isNothing(reply)) throw notFound(scanId);
  const [effect, scan] = listOf(reply);
  return { effect: EFFECTS.get(effect) ?? 'signalled', scan: recordOf(scan) };
}

export const deadLetters = async (store: RedisStore, tenant: string, limit: number): Promise<readonly ScanRecord[]> =>
  listOf(await store.run(DEAD_LETTERS, tenant, limit)).map(recordOf);

export async function retryDeadLetter(store: RedisStore, tenant: string, scanId: string): Promise<ScanRecord> {
  const reply = await store.run(RETRY_DEAD, tenant, scanId, newRequestId());
  if (isNothing(reply)) throw notFound(scanId);
  const [kind, what] = listOf(reply);
  if (kind === 'back') return recordOf(what);
  throw new AppError('invalid_request', `${scanId} is ${textOf(what)}, not a dead letter.`);
}

/** Their idempotency keys outlive them: a late repeat of the call must not scan again. */
export async function purgeDeadLetters(store: RedisStore, tenant: string, before: number): Promise<readonly string[]> {
  const removed: string[] = [];
  let kept = 0; // records of newer programs
  for (;;) {
    const ids = textsOf(await store.run(DEAD_BEFORE, tenant, before, kept, PURGED_AT_ONCE));
    if (ids.length === 0) return removed;
    const gone = textsOf(await store.run(PURGE_DEAD, tenant, before, ...ids));
    removed.push(...gone);
    kept += ids.length - gone.length;
  }
}
