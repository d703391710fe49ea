import { AppError } from '../model/errors.ts';
import { SCAN_ID } from '../model/ids.ts';
import type { ScanRecord } from '../model/scan.ts';
import type { ScanQueue } from '../queue/queue.ts';

/** @throws AppError scan_not_found, in the same words for an unknown id, a malformed one and another tenant's. */
export async function findScan(queue: ScanQueue, tenant: string, scanId: string): Promise<ScanRecord> {
  const scan = SCAN_ID.test(scanId) ? await queue.get(tenant, scanId) : undefined;
  if (scan) return scan;
  throw new AppError('scan_not_found', 'There is no scan with this id.');
}
