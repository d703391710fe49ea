import type { Scope } from '../model/caller.ts';
import type { Plan, PlanInput } from '../model/contract/run.ts';
import { requestHash, type ScanRequest } from '../model/scan.ts';
import type { PolicyAnswer, TargetDecision } from '../policy/policy.ts';
import { isOutside } from './admit.ts';
import { refuseCredential, withCredential } from './credential.ts';
import { whyNone } from './cannot-start.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { candidates } from './launchable.ts';
import { prepareRun, type PreparedRun } from './prepare.ts';
import { lackedByRun } from './rights.ts';

type Deps = Pick<ScanDeps, 'queue' | 'registry' | 'policy' | 'credentials'>;

export type PlanScan = (input: PlanInput, ask: Ask) => Promise<Plan>;

/**
 * What a run with these arguments would do. Resolves names; sends nothing to targets and queues nothing.
 * @throws AppError as `createSubmitScan`, except target_denied and target_unresolvable, which are the answer here
 */
export function createPlanScan(deps: Deps): PlanScan {
  return async (input, ask) => {
    const run = prepareRun(input, deps.registry);
    const { request, targets, pool } = run;
    const policy = await deps.policy.check(targets, { intensity: request.intensity, caller: ask.caller }, ask.signal);
    const lacked = lackedByRun({ ...input, wait_seconds: 0 }, ask.caller);
    // Whoever may not use logins is not told which there are.
    const refusal = lacked === undefined ? refuseCredential(deps, request, policy, ask.caller) : undefined;
    const allowed = refusal ? withCredential(policy, request.credential_ref ?? '', refusal) : policy;
    const answer = withoutRight(allowed, lacked, ask);
    const [instances, estimates] = await Promise.all([launchability(deps, run, ask.signal), estimatesOf(deps, run)]);
    const twin = await deps.queue.wouldDeduplicateTo({
      tenant: ask.caller.tenant,
      requestHash: requestHash(request),
      ...(input.idempotency_key === undefined ? {} : { idempotencyKey: input.idempotency_key }),
    });
    return {
      summary: summary(answer, instances, request),
      allowed: answer.allowed,
      targets: answer.targets.map(({ target, allowed, rule, reason, fix, resolved }) => ({
        target: target.text,
        allowed,
        rule,
        reason: fix === undefined ? reason : `${reason} ${fix}`,
        resolved: [...resolved],
      })),
      hosts: answer.hosts,
      engine: pool.capabilities.engine,
      looks_for: [...pool.capabilities.looksFor],
      instances,
      ...estimates,
      ...(twin === undefined ? {} : { would_deduplicate_to: twin.scanId }),
    };
  };
}

/** A run that is in scope is refused all the same where its caller may not ask for it. */
function withoutRight(answer: PolicyAnswer, lacked: Scope | undefined, { caller }: Ask): PolicyAnswer {
  if (!answer.allowed || lacked === undefined) return answer;
  const reason = `It needs the scope ${lacked}, which ${caller.name} does not have.`;
  return { ...answer, allowed: false, refusal: { reason, fix: '' } };
}

function launchability(
  { registry }: Deps,
  { pool, request }: PreparedRun,
  signal: AbortSignal,
): Promise<Plan['instances']> {
  return Promise.all(
    candidates(pool, request.pinned_instance).map(async (instance) => {
      const { canLaunch, circuit, why } = await registry.health(instance, signal);
      const can_launch = canLaunch && circuit !== 'open';
      return { instance_id: instance.instanceId, can_launch, ...(why === undefined ? {} : { why }) };
    }),
  );
}

async function estimatesOf({ queue, registry }: Deps, { pool, request }: PreparedRun) {
  const capacity = registry
    .available()
    .filter((slot) => slot.pool === pool.name)
    .reduce((sum, { limit }) => sum + limit, 0);
  const { pools } = await queue.status('', pool.name);
  const ahead = pools.find(({ pool: name }) => name === request.pool)?.queued ?? 0;
  const [waitMs, durationMs] = await Promise.all([
    queue.expectedWaitMs(pool.name, ahead + 1, capacity),
    queue.expectedDurationMs(pool.name),
  ]);
  return {
    ...(waitMs === undefined ? {} : { estimated_wait_seconds: Math.round(waitMs / 1000) }),
    ...(durationMs === undefined ? {} : { estimated_duration_seconds: Math.round(durationMs / 1000) }),
  };
}

/** `1 of 2 targets is`, `2 of 2 targets are`. */
const part = (targets: PolicyAnswer['targets'], isMeant: (target: TargetDecision) => boolean): string => {
  const count = targets.filter(isMeant).length;
  return `${count} of ${targets.length} ${targets.length === 1 ? 'target' : 'targets'} ${count === 1 ? 'is' : 'are'}`;
};

const partReason = ({ targets }: PolicyAnswer): string =>
  `${part(targets, ({ allowed }) => !allowed)} outside the scope or without an address.`;

const wholeReason = ({ targets }: PolicyAnswer, reason: string): string =>
  targets.some(isOutside) ? `${reason} Besides, ${part(targets, isOutside)} outside the scope.` : reason;

const whyOf = (instances: Plan['instances']): string =>
  whyNone(
    instances.map(({ instance_id: instanceId, why }) => ({
      instanceId,
      health: { status: 'unhealthy', canLaunch: false, ...(why === undefined ? {} : { why }) },
    })),
  ) ?? 'none is enabled.';

function summary(answer: PolicyAnswer, instances: Plan['instances'], { pool, access }: ScanRequest): string {
  if (!answer.allowed) {
    const login = answer.targets.find(({ rule }) => rule.startsWith('credential '));
    if (login && answer.targets.every((target) => target.allowed || target.rule === login.rule)) {
      return `This run would be refused: ${login.reason} ${login.fix ?? ''} Nothing was sent or queued.`;
    }
    const why = answer.refusal ? wholeReason(answer, answer.refusal.reason) : partReason(answer);
    return `This run would be refused: ${why} Nothing was sent or queued. Do not run it; an operator can change the scope.`;
  }
  if (!instances.some(({ can_launch }) => can_launch)) {
    return `The scope allows this run, but no instance of pool ${pool} can start it now: ${whyOf(instances)} Nothing was sent or queued. A run would wait until one can, or be refused where only an operator can change that.`;
  }
  const hosts = answer.hosts === 1 ? '1 host' : `${answer.hosts} hosts`;
  return `This run is allowed and would cover ${hosts} with pool ${pool}. Nothing was sent or queued. Next: run_${access}_scan with the same arguments.`;
}
