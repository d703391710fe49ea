import type { ScanIdInput, Status } from '../model/contract/status.ts';
import { isFinal, type Progress, type ScanRecord } from '../model/scan.ts';
import { canStart, whyNone } from './cannot-start.ts';
import { servesPool } from '../queue/queue.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { findScan } from './find-scan.ts';
import { coverageOfScan, verdictOfScan } from './outcome.ts';
import { pollAfterSeconds } from './poll.ts';
import { statusSummary, type Waiting } from './summaries.ts';
import { sumOf, type CountFindings, type Tally } from './tally.ts';
import { isoTime } from './time.ts';
import { troubleshooting } from './troubleshooting.ts';

type Deps = Pick<ScanDeps, 'queue' | 'registry' | 'clock'> & { readonly countFindings: CountFindings };

export type GetScanStatus = (input: ScanIdInput, ask: Ask) => Promise<Status>;

/** @throws AppError scan_not_found, queue_unavailable */
export function createGetScanStatus(deps: Deps): GetScanStatus {
  return async ({ scan_id: scanId }, { caller }) => {
    const scan = await findScan(deps.queue, caller.tenant, scanId);
    return statusNow(deps, scan);
  };
}

/** @throws AppError queue_unavailable */
export async function statusNow(deps: Deps, scan: ScanRecord): Promise<Status> {
  if (isFinal(scan.state)) return finalStatus(scan, await deps.countFindings(scan));
  return makeStatus(scan, await waitingOf(deps, scan), deps.clock.now());
}

const UNSERVED = 'none of those that run serves its pool';

/** Why an unfinished scan does not go on: told apart so that the reader knows whether waiting can help. */
async function waitingOf({ queue, registry }: Pick<Deps, 'queue' | 'registry'>, scan: ScanRecord): Promise<Waiting> {
  if (scan.state === 'retrying') return { on: 'retry' };
  const readiness = await queue.readiness();
  // While others run, one of them takes it over within seconds.
  if (scan.state !== 'queued') return { on: readiness.hasWorker ? 'none' : 'worker' };
  const { pool, pinned_instance: pinned } = scan.request;
  if (!servesPool(readiness, pool)) return readiness.hasWorker ? { on: 'worker', why: UNSERVED } : { on: 'worker' };
  const instances = registry.pools().find(({ name }) => name === pool)?.instances ?? [];
  const usable = instances
    .filter(({ instanceId, enabled }) => enabled && (pinned === undefined || pinned === instanceId))
    .map(({ instanceId }) => ({
      instanceId,
      health: readiness.instances.find((state) => state.pool === pool && state.instance === instanceId)?.health,
    }));
  return usable.some(canStart) ? { on: 'slot' } : { on: 'scanner', why: whyNone(usable) };
}

/** What ended changes only by judgements about its findings, and agents ask for it again and again. */
const ended = new WeakMap<ScanRecord, { readonly tally: Tally; readonly status: Status }>();

function finalStatus(scan: ScanRecord, tally: Tally): Status {
  const known = ended.get(scan);
  if (known?.tally === tally) return known.status;
  const status = { ...makeStatus(scan, { on: 'none' }, 0, tally), ...finishedPart(scan, tally) };
  ended.set(scan, { tally, status });
  return status;
}

function makeStatus(scan: ScanRecord, waiting: Waiting, now: number, tally?: Tally): Status {
  return {
    summary: statusSummary(scan, waiting, tally),
    scan_id: scan.scanId,
    trace_id: scan.traceId,
    state: scan.state,
    ...(scan.origin === 'run' ? {} : { origin: scan.origin }),
    waiting_for: waiting.on,
    ...(scan.progress === undefined ? {} : { progress: shownProgress(scan, scan.progress) }),
    ...(isFinal(scan.state) ? {} : { poll_after_seconds: pollAfterSeconds(scan, now) }),
    ...(scan.position === undefined ? {} : { queue_position: scan.position }),
    attempt: scan.attempt,
    scanner_pool: scan.request.pool,
    ...(scan.instance === undefined ? {} : { scanner_instance: scan.instance }),
    engine: scan.engine,
    ...(scan.externalScanId === undefined ? {} : { external_scan_id: scan.externalScanId }),
    targets: scan.request.targets,
    ...(scan.name === undefined ? {} : { name: scan.name }),
    created_at: isoTime(scan.createdAt),
    ...(scan.startedAt === undefined ? {} : { started_at: isoTime(scan.startedAt) }),
    ...(scan.error === undefined ? {} : { error: scan.error }),
  };
}

/** The last report of an engine is from before its end; a finished scan shows what is known now. */
function shownProgress({ state, result }: ScanRecord, last: Progress): Progress {
  if (!isFinal(state)) return last;
  const isDone = state === 'completed';
  return {
    percent: isDone ? 100 : last.percent,
    phase: isDone ? 'done' : 'ended',
    hosts_done: isDone ? last.hosts_total : last.hosts_done,
    hosts_total: last.hosts_total,
    findings_so_far: result?.findings ?? last.findings_so_far,
    estimated: !isDone && last.estimated,
    updated_at: last.updated_at,
  };
}

function finishedPart(scan: ScanRecord, tally: Tally): Partial<Status> {
  const { result, finishedAt } = scan;
  const advice = troubleshooting(scan);
  return {
    ...(finishedAt === undefined ? {} : { finished_at: isoTime(finishedAt) }),
    verdict: verdictOfScan(scan),
    coverage: coverageOfScan(scan),
    ...(result?.authentication ? { authentication: result.authentication } : {}),
    results: {
      findings: tally.findings,
      by_severity: tally.bySeverity,
      suppressed: sumOf(tally.suppressed),
    },
    ...(advice.length === 0 ? {} : { troubleshooting: advice }),
  };
}
