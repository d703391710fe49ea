import type { CheckedTarget } from '../credentials/credentials.ts';
import { AGENT_SCOPES } from '../model/caller.ts';
import { AppError } from '../model/errors.ts';
import type { ScanRecord } from '../model/scan.ts';
import type { PinnedTarget } from '../model/target.ts';
import { parseTarget } from '../policy/target.ts';
import type { WorkerDeps } from './deps.ts';

/** Many names may have to be resolved; each has its own, shorter limit. */
const TIME_LIMIT_MS = 60_000;

/** What may be scanned in this attempt, and what is left out with the reason. */
export interface Admitted {
  readonly targets: readonly PinnedTarget[];
  /** The same targets with every address they stand for, those included that this machine cannot reach. */
  readonly checked: readonly CheckedTarget[];
  readonly notes: readonly string[];
}

/**
 * Asks the policy once more, right before the run: the scope may have been narrowed and names may point elsewhere. The
 * addresses of this answer are the ones the engine gets.
 * @throws AppError target_denied, target_unresolvable; scan_aborted, which is tried again, while the policy file is broken:
 *   it may be half saved
 */
export async function admitAgain({ policy }: Pick<WorkerDeps, 'policy'>, scan: ScanRecord): Promise<Admitted> {
  const targets = scan.request.targets.map((text) => parseTarget(text));
  const caller = { tenant: scan.tenant, name: 'worker', isOperator: false, scopes: AGENT_SCOPES };
  const answer = await policy.check(
    targets,
    { intensity: scan.request.intensity, caller },
    AbortSignal.timeout(TIME_LIMIT_MS),
  );
  if (!answer.allowed && policy.describe(caller).lastError !== undefined) {
    throw new AppError('scan_aborted', 'At run time: the policy file cannot be read, so nothing is allowed.', {
      hint: 'Operator: `scanmux policy show` says what is wrong with the file.',
    });
  }
  if (answer.refusal)
    throw new AppError('target_denied', `At run time: ${answer.refusal.reason}`, { hint: answer.refusal.fix });
  const denied = answer.targets.filter(({ allowed }) => !allowed);
  const [first] = denied;
  if (first) {
    const code = denied.every(({ unresolvable }) => unresolvable) ? 'target_unresolvable' : 'target_denied';
    throw new AppError(code, `At run time: ${first.reason}`, {
      ...(first.fix === undefined ? {} : { hint: `${first.fix} Do not retry.` }),
      targets: denied.map(({ target }) => target.text),
    });
  }
  return {
    targets: answer.targets.flatMap(({ pinned }) => (pinned ? [pinned] : [])),
    checked: answer.targets.map(({ target, resolved }) => ({ target, addresses: resolved })),
    notes: answer.targets.flatMap(({ target, skipped }) =>
      (skipped ?? []).map((address) => `${address} of ${target.text}: this machine has no route to its address family`),
    ),
  };
}
