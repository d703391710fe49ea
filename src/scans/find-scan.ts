import type { Caller } from '../model/caller.ts';
import { AppError, errorFacts } from '../model/errors.ts';
import { SCAN_ID } from '../model/ids.ts';
import type { ScanRecord } from '../model/scan.ts';
import type { NewAuditEntry } from '../audit/entry.ts';
import type { ScanQueue } from '../queue/queue.ts';
import type { ScanDeps } from './deps.ts';

/** @throws AppError scan_not_found, in the same words for an unknown id, a malformed one and another tenant's. */
export async function findScan(queue: ScanQueue, tenant: string, scanId: string): Promise<ScanRecord> {
  const scan = SCAN_ID.test(scanId) ? await queue.get(tenant, scanId) : undefined;
  if (scan) return scan;
  throw new AppError('scan_not_found', 'There is no scan with this id.');
}

type Asked = Pick<NewAuditEntry, 'action' | 'traceId'> & { readonly caller: Caller; readonly scanId: string };

/**
 * The same for calls that are in the audit log: asking for what is not there is written down, too.
 * @throws AppError scan_not_found
 */
export async function findScanAudited(
  { queue, audit }: Pick<ScanDeps, 'queue' | 'audit'>,
  asked: Asked,
): Promise<ScanRecord> {
  try {
    return await findScan(queue, asked.caller.tenant, asked.scanId);
  } catch (error) {
    await audit({ ...asked, decision: errorFacts(error).code });
    throw error;
  }
}
