import { join } from 'node:path';
import { createFindingsStore } from '../../src/findings/findings-store.ts';
import { LOCAL_TENANT } from '../../src/model/caller.ts';
import { verdictOf } from '../../src/model/coverage.ts';
import { newScanId, newTraceId } from '../../src/model/ids.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { requestHash, type ScanRequest } from '../../src/model/scan.ts';
import type { PinnedTarget } from '../../src/model/target.ts';
import type { ScanQueue } from '../../src/queue/queue.ts';
import { address, stream } from '../findings/reports.ts';

export interface Finished {
  readonly engine?: string;
  readonly targets?: readonly PinnedTarget[];
  readonly request?: Partial<ScanRequest>;
  readonly tenant?: string;
}

/** Runs a scan from submit to its end whose report holds these events; returns its id. */
export async function finishedScan(
  { queue, data }: { readonly queue: ScanQueue; readonly data: string },
  events: readonly ReportEvent[],
  { engine = 'nessus', targets = [address('10.0.0.1')], request = {}, tenant = LOCAL_TENANT }: Finished = {},
): Promise<string> {
  const full: ScanRequest = {
    access: 'untrusted',
    targets: targets.map(({ target }) => target.text),
    pool: engine,
    intensity: 'standard',
    priority: 5,
    max_duration_minutes: 60,
    ...request,
  };
  const scanId = newScanId();
  await queue.submit({ scanId, tenant, traceId: newTraceId(), request: full, requestHash: requestHash(full), engine });
  await queue.heartbeat('test-worker');
  const claim = await queue.claim('test-worker', [{ pool: engine, instance: 'only', limit: 99 }]);
  if (claim?.scan.scanId !== scanId) throw new Error('another scan was waiting');
  const folder = join(data, 'scans', scanId, String(claim.epoch));
  const store = createFindingsStore();
  const ingested = await store.ingest({ scanId, epoch: claim.epoch, engine, folder, targets, events: stream(events) });
  await store.close();
  const { coverage, findings, bySeverity, ended, artefact } = ingested;
  const result = {
    verdict: verdictOf(coverage, ended),
    ended_whole: ended,
    coverage,
    findings,
    by_severity: bySeverity,
    artefacts: [{ ...artefact, path: `${claim.epoch}/${artefact.path}` }],
  };
  await queue.finish(claim, { kind: 'completed', result });
  return scanId;
}
