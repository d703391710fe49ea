import { AppError } from '../model/errors.ts';
import type { PolicyAnswer, TargetDecision } from '../policy/policy.ts';

const SHOWN = 3;

/** The refusal of a policy answer, as the error a caller gets; undefined when everything is allowed. */
export function refusalOf(answer: PolicyAnswer): AppError | undefined {
  if (answer.refusal) return wholeError(answer, answer.refusal);
  const denied = answer.targets.filter(({ allowed }) => !allowed);
  if (denied.length === 0) return undefined;
  const forbidden = denied.filter(({ unresolvable }) => !unresolvable);
  return forbidden.length > 0 ? deniedError(forbidden) : unresolvableError(denied);
}

/** Refused by itself, whatever becomes of the rest of the request. */
export const isOutside = ({ allowed, unresolvable, rule }: TargetDecision): boolean =>
  !allowed && !unresolvable && !/^max_(hosts|intensity)/.test(rule);

/** The limit on the whole request, and what is out of scope besides: mending the one alone would not help. */
function wholeError({ targets }: PolicyAnswer, { reason, fix }: NonNullable<PolicyAnswer['refusal']>): AppError {
  const outside = targets.filter(isOutside);
  if (outside.length === 0) return new AppError('target_denied', reason, { hint: `${fix} Do not retry.` });
  const { message, hint, targets: named = [] } = deniedError(outside);
  return new AppError('target_denied', `${reason} ${message}`, { hint: `${fix} ${hint}`, targets: named });
}

function deniedError(denied: readonly TargetDecision[]): AppError {
  const fixes = [...new Set(denied.slice(0, SHOWN).flatMap(({ fix }) => (fix === undefined ? [] : [fix])))];
  return new AppError('target_denied', sentences(denied), {
    hint: `${fixes.join(' ')} Do not retry.`.trim(),
    targets: denied.map(({ target }) => target.text),
  });
}

const unresolvableError = (denied: readonly TargetDecision[]): AppError =>
  new AppError('target_unresolvable', sentences(denied), { targets: denied.map(({ target }) => target.text) });

function sentences(denied: readonly TargetDecision[]): string {
  const shown = denied.slice(0, SHOWN).map(({ reason }) => reason);
  const more = denied.length - shown.length;
  return more > 0 ? `${shown.join(' ')} And ${more} more ${more === 1 ? 'target' : 'targets'}.` : shown.join(' ');
}
