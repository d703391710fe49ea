import type { Progress } from '../../model/scan.ts';
import type { Claim, Outcome, StoredCheckpoint } from '../queue.ts';
import { listOf } from './reply.ts';
import { newRequestId } from './request-id.ts';
import type { Script } from './script.ts';
import { CHECKPOINT, FINISH, PROGRESS, READING, RENEW } from './scripts/attempt.ts';
import type { Argument, RedisStore } from './store.ts';

export async function renew(store: RedisStore, { scan, epoch }: Claim): Promise<{ owned: boolean; cancel: boolean }> {
  const [owned, cancel] = listOf(await store.run(RENEW, scan.scanId, epoch));
  return { owned: owned === 1, cancel: cancel === 1 };
}

/** False when the claim has been lost. */
const fenced = async (
  store: RedisStore,
  script: Script,
  { scan, epoch }: Claim,
  ...args: readonly Argument[]
): Promise<boolean> => (await store.run(script, scan.scanId, epoch, newRequestId(), ...args)) === 1;

export function checkpoint(
  store: RedisStore,
  claim: Claim,
  { phase, reference }: { phase: 'intent' | 'launched'; reference?: string },
): Promise<boolean> {
  const { instance, epoch } = claim;
  const kept: StoredCheckpoint = { phase, instance, epoch, ...(reference === undefined ? {} : { reference }) };
  return fenced(store, CHECKPOINT, claim, phase, instance, JSON.stringify(kept));
}

export const reading = (store: RedisStore, claim: Claim): Promise<boolean> => fenced(store, READING, claim);

export const progress = (
  store: RedisStore,
  claim: Claim,
  shown: Progress,
  externalScanId?: string,
): Promise<boolean> => {
  const cancelling: Progress = { ...shown, phase: 'cancelling' };
  return fenced(store, PROGRESS, claim, JSON.stringify(shown), JSON.stringify(cancelling), externalScanId ?? '');
};

export function finish(store: RedisStore, claim: Claim, outcome: Outcome): Promise<boolean> {
  const result = 'result' in outcome ? outcome.result : undefined;
  const error = 'error' in outcome ? JSON.stringify(outcome.error) : '';
  const isRetry = outcome.kind === 'retry';
  return fenced(
    store,
    FINISH,
    claim,
    outcome.kind,
    result ? JSON.stringify(result) : '',
    error,
    isRetry ? Math.max(0, Math.ceil(outcome.delayMs)) : 0,
    isRetry && outcome.keepsRun ? '1' : '',
    claim.scan.engine,
    result ? JSON.stringify(result.by_severity) : '',
  );
}
