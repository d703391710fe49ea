import { errorFacts } from '../model/errors.ts';
import type { Ingested } from '../findings/findings.ts';
import { noTracing, submitSpanId } from '../platform/tracing.ts';
import type { Claim } from '../queue/queue.ts';
import type { WorkerDeps } from './deps.ts';
import type { Ended } from './drive.ts';

type Deps = Pick<WorkerDeps, 'queue' | 'tracing' | 'clock' | 'log'>;

/** One attempt as a span of the scan's trace, after one for the time the scan waited before it. */
export async function tracedAttempt<T extends string>(deps: Deps, claim: Claim, body: () => Promise<T>): Promise<T> {
  const { tracing = noTracing } = deps;
  if (!tracing.isOn) return body();
  const { scanId, traceId, attempt, request, engine } = claim.scan;
  const attributes = {
    'scanmux.scan_id': scanId,
    'scanmux.pool': request.pool,
    'scanmux.engine': engine,
    'scanmux.instance': claim.instance,
    'scanmux.attempt': attempt,
    'scanmux.epoch': claim.epoch,
  };
  const of = { traceId, parentId: submitSpanId(scanId), attributes };
  const claimedAt = deps.clock.now();
  const waitsSince = await queuedAt(deps, claim);
  if (waitsSince !== undefined) tracing.record({ name: 'scan queue wait', ...of }, waitsSince, claimedAt);
  return tracing.within({ name: 'scan attempt', kind: 'consumer', ...of }, async (span) => {
    const outcome = await body();
    span.set({ 'scanmux.outcome': outcome });
    if (outcome === 'failed' || outcome === 'timed_out' || outcome === 'lost') span.fail(outcome);
    return outcome;
  });
}

/** When the scan was last put into the queue, by its own log; undefined when that cannot be read. */
async function queuedAt({ queue, log }: Deps, { scan }: Claim): Promise<number | undefined> {
  try {
    const events = await queue.events(scan.tenant, scan.scanId, 0);
    return events.findLast(({ state }) => state === 'queued')?.at ?? scan.createdAt;
  } catch (error) {
    log.debug({ err: error }, 'events of the scan could not be read for its trace');
    return undefined;
  }
}

/** The engine's part. */
export function tracedRun({ tracing = noTracing }: Deps, { scan }: Claim, body: () => Promise<Ended>): Promise<Ended> {
  return tracing.within({ name: `engine run ${scan.engine}` }, async (span) => {
    const ended = await body();
    if (ended.error !== undefined) span.fail(errorFacts(ended.error).code);
    return ended;
  });
}

/** From the raw report to the findings. */
export function tracedIngest({ tracing = noTracing }: Deps, body: () => Promise<Ingested>): Promise<Ingested> {
  return tracing.within({ name: 'ingest report' }, async (span) => {
    const ingested = await body();
    span.set({ 'scanmux.findings': ingested.findings });
    if (ingested.readError !== undefined) span.fail(errorFacts(ingested.readError).code);
    return ingested;
  });
}
