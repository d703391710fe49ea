import type { ScanRecord } from '../../model/scan.ts';
import type { Imported, NewImport } from '../queue.ts';
import { givenText, recordIfAny, recordOf } from './record.ts';
import { listOf } from './reply.ts';
import { IMPORT, RECENT_IMPORT } from './scripts/import-scan.ts';
import type { RedisStore } from './store.ts';
import { keyLifetime } from './submit.ts';

export async function recordImport(store: RedisStore, scan: NewImport): Promise<Imported> {
  const { request } = scan;
  const reply = await store.run(
    IMPORT,
    scan.scanId,
    scan.tenant,
    scan.requestHash,
    keyLifetime(store),
    request.pool,
    request.priority,
    request.project_id ?? '',
    request.max_duration_minutes,
    request.targets.length,
    scan.startedAt ?? '',
    scan.finishedAt,
    givenText(scan),
    JSON.stringify(scan.result),
    scan.engine,
    JSON.stringify(scan.result.by_severity),
  );
  const [kind, record] = listOf(reply);
  return { scan: recordOf(record), deduplicated: kind === 'known' };
}

export const recentImport = async (
  store: RedisStore,
  tenant: string,
  requestHash: string,
): Promise<ScanRecord | undefined> =>
  recordIfAny(await store.run(RECENT_IMPORT, tenant, requestHash, keyLifetime(store)));
