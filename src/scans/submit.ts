import type { PlanInput, SubmittedScan } from '../model/contract/run.ts';
import { AppError } from '../model/errors.ts';
import { newScanId } from '../model/ids.ts';
import { isFinal, requestHash } from '../model/scan.ts';
import type { NewScan, Submitted } from '../queue/queue.ts';
import { refusalOf } from './admit.ts';
import { refuseCredential } from './credential.ts';
import { whyNone, type KnownInstance } from './cannot-start.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { requireLaunchable } from './launchable.ts';
import { prepareRun, type PreparedRun } from './prepare.ts';
import { pollAfterSeconds } from './poll.ts';
import type { WithinQuota } from './quota.ts';
import { submittedSummary } from './summaries.ts';
import { isoTime } from './time.ts';
import type { GetScanStatus } from './status.ts';
import type { WaitForScan } from './wait.ts';

type Deps = Pick<ScanDeps, 'queue' | 'registry' | 'policy' | 'credentials' | 'audit' | 'wakeWorker' | 'clock'> & {
  withinQuota: WithinQuota;
  wait: WaitForScan;
  status: GetScanStatus;
};

export type SubmitScan = (input: PlanInput, ask: Ask) => Promise<SubmittedScan>;

/**
 * Accepts a scan or refuses it. Every acceptance and refusal is in the audit log before the caller hears of it.
 *
 * @throws AppError pool_unknown, instance_unknown, no_scanner_available, scanner_edition_forbids_api, target_invalid,
 *   target_unsupported, option_unsupported, target_denied, target_unresolvable, credential_unknown, credential_denied,
 *   idempotency_conflict, quota_exceeded, queue_unavailable, storage_full
 */
export function createSubmitScan(deps: Deps): SubmitScan {
  return async (input, ask) => {
    const prepared = await audited(deps, input, ask, () => admit(deps, input, ask));
    const { request } = prepared.run;
    const repeats = { request, idempotencyKey: input.idempotency_key };
    const wanted = { hosts: prepared.hosts, repeats };
    const submitted = await deps.withinQuota(wanted, ask, async (reserve) => {
      await audited(deps, input, ask, reserve);
      return enqueue(deps, input, prepared.run, ask);
    });
    deps.wakeWorker();
    const answer = await answerFor(deps, submitted, prepared.instances);
    if (input.wait_seconds === 0) return answer;
    return withStatus(deps, answer, input.wait_seconds, ask);
  };
}

interface Admitted {
  readonly run: PreparedRun;
  /** Addresses it covers. */
  readonly hosts: number;
  /** Those it could go to. */
  readonly instances: readonly KnownInstance[];
}

async function admit(deps: Deps, input: PlanInput, ask: Ask): Promise<Admitted> {
  const prepared = prepareRun(input, deps.registry);
  const { request, targets } = prepared;
  const answer = await deps.policy.check(targets, { intensity: request.intensity, caller: ask.caller }, ask.signal);
  const refusal = refusalOf(answer);
  if (refusal) throw refusal;
  // Before the login: to widen where it may go is of no use with a pool that can start nothing.
  const instances = await requireLaunchable(deps.registry, prepared.pool, request.pinned_instance, ask.signal);
  const denied = refuseCredential(deps, request, answer, ask.caller);
  if (denied) throw denied;
  return { run: prepared, hosts: answer.hosts, instances };
}

/** Writes refusals down before they are passed on. */
async function audited<T>(deps: Deps, input: PlanInput, ask: Ask, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const code = error instanceof AppError ? error.code : 'internal_error';
    await deps.audit({
      caller: ask.caller,
      action: 'refuse',
      decision: code,
      targets: input.targets,
      traceId: ask.traceId,
      ...loginOf(input),
    });
    throw error;
  }
}

async function enqueue(deps: Deps, input: PlanInput, { request, pool }: PreparedRun, ask: Ask): Promise<Submitted> {
  const scan: NewScan = {
    scanId: newScanId(),
    tenant: ask.caller.tenant,
    traceId: ask.traceId,
    request,
    requestHash: requestHash(request),
    engine: pool.capabilities.engine,
    ...(input.name === undefined ? {} : { name: input.name }),
    ...(input.description === undefined ? {} : { description: input.description }),
    ...(input.idempotency_key === undefined ? {} : { idempotencyKey: input.idempotency_key }),
  };
  const facts = { caller: ask.caller, targets: request.targets, traceId: ask.traceId };
  await deps.audit({ ...facts, ...loginOf(request), action: 'submit', decision: 'allowed', scanId: scan.scanId });
  try {
    const submitted = await deps.queue.submit(scan);
    if (submitted.deduplicated !== false) {
      const detail = { instead_of: scan.scanId, why: submitted.deduplicated };
      await deps.audit({
        ...facts,
        action: 'submit',
        decision: 'deduplicated',
        scanId: submitted.scan.scanId,
        detail,
      });
    }
    return submitted;
  } catch (error) {
    const code = error instanceof AppError ? error.code : 'internal_error';
    await deps.audit({ ...facts, action: 'refuse', decision: code, scanId: scan.scanId });
    throw error;
  }
}

/** What the audit log says of a login that was asked for. */
const loginOf = ({ credential_ref: ref, privilege = 'user' }: Pick<PlanInput, 'credential_ref' | 'privilege'>) =>
  ref === undefined ? {} : { detail: { credential_ref: ref, privilege } };

async function answerFor(
  deps: Deps,
  { scan, deduplicated }: Submitted,
  instances: readonly KnownInstance[],
): Promise<SubmittedScan> {
  const { request, position } = scan;
  const slots = deps.registry.available().filter(({ pool }) => pool === request.pool);
  const capacity = slots.reduce((sum, { limit }) => sum + limit, 0);
  const waitMs = position === undefined ? undefined : await deps.queue.expectedWaitMs(request.pool, position, capacity);
  return {
    summary: submittedSummary(scan, deduplicated, isFinal(scan.state) ? undefined : whyNone(instances)),
    scan_id: scan.scanId,
    trace_id: scan.traceId,
    state: scan.state,
    deduplicated: deduplicated !== false,
    created_at: isoTime(scan.createdAt),
    scanner_pool: request.pool,
    resource_uri: `scan://${scan.scanId}`,
    ...(scan.finishedAt === undefined ? {} : { finished_at: isoTime(scan.finishedAt) }),
    ...(scan.instance === undefined ? {} : { scanner_instance: scan.instance }),
    ...(position === undefined ? {} : { queue_position: position }),
    ...(waitMs === undefined ? {} : { estimated_wait_seconds: Math.round(waitMs / 1000) }),
    ...(isFinal(scan.state) ? {} : { poll_after_seconds: pollAfterSeconds(scan, deps.clock.now()) }),
  };
}

async function withStatus(deps: Deps, answer: SubmittedScan, seconds: number, ask: Ask): Promise<SubmittedScan> {
  await deps.wait({ scan_id: answer.scan_id, wait_seconds: seconds }, ask);
  const status = await deps.status({ scan_id: answer.scan_id }, ask);
  const { trace_id, created_at, scanner_pool, deduplicated, resource_uri } = answer;
  // Nobody may take an earlier scan's result for that of a new one.
  const summary = deduplicated
    ? `No new scan was made: scan ${answer.scan_id} of ${created_at} answers. ${status.summary}`
    : status.summary;
  return { ...status, summary, trace_id, created_at, scanner_pool, deduplicated, resource_uri };
}
