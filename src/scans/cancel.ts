import type { Cancelled, CancelInput } from '../model/contract/status.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { findScanAudited } from './find-scan.ts';

type Deps = Pick<ScanDeps, 'queue' | 'audit' | 'wakeWorker'>;

export type CancelScan = (input: CancelInput, ask: Ask) => Promise<Cancelled>;

const SENTENCES = {
  removed: 'The scan was waiting and will not start.',
  signalled:
    'The engine was told to stop. Until it has, the scan stays running; what it found so far is kept. Call wait_for_scan.',
  already_final: 'The scan had already ended; nothing was changed.',
} as const;

/** @throws AppError scan_not_found, queue_unavailable */
export function createCancelScan({ queue, audit, wakeWorker }: Deps): CancelScan {
  return async ({ scan_id: scanId, reason }, { caller, traceId }) => {
    const facts = { caller, action: 'cancel', scanId, traceId } as const;
    await findScanAudited({ queue, audit }, facts);
    await audit({ ...facts, decision: 'allowed', ...(reason === undefined ? {} : { detail: { reason } }) });
    const { effect, scan } = await queue.cancel(caller.tenant, scanId, reason);
    // A worker must be there to end what a dead one left running at a scanner.
    if (effect === 'signalled') wakeWorker();
    return { summary: SENTENCES[effect], scan_id: scanId, state: scan.state, effect };
  };
}
