import { requireScope, type Caller, type Scope } from '../model/caller.ts';
import type { PlanInput } from '../model/contract/run.ts';
import { errorFacts } from '../model/errors.ts';
import type { Ask, ScanDeps } from './deps.ts';

type Deps = Pick<ScanDeps, 'audit'>;
type UseCase<Input, Rest extends readonly unknown[], Answer> = (
  input: Input,
  ask: Ask,
  ...rest: Rest
) => Promise<Answer>;

/** A use case that only answers callers with the scope: every way in has the same rights, whatever it checks itself. */
export function reading<Input, Rest extends readonly unknown[], Answer>(
  body: UseCase<Input, Rest, Answer>,
): UseCase<Input, Rest, Answer> {
  return (input, ask, ...rest) => {
    try {
      requireScope(ask.caller, 'scan:read');
    } catch (error) {
      return Promise.reject(error);
    }
    return body(input, ask, ...rest);
  };
}

/**
 * Lets a change pass only with these scopes: a refusal is written down before the caller hears of it.
 * @param call its name in the audit log
 * @throws AppError forbidden
 */
export async function requireRights(
  { audit }: Deps,
  call: string,
  scopes: readonly Scope[],
  { caller, traceId }: Pick<Ask, 'caller' | 'traceId'>,
): Promise<void> {
  try {
    for (const scope of scopes) requireScope(caller, scope);
  } catch (error) {
    const detail = { call, lacks: lacking(caller, scopes) };
    await audit({ caller, action: 'refuse', decision: errorFacts(error).code, traceId, detail });
    throw error;
  }
}

/** A use case that changes something, and the scopes its input takes. */
export const changing =
  (deps: Deps) =>
  <Input, Rest extends readonly unknown[], Answer>(
    call: string,
    scopesFor: (input: Input) => readonly Scope[],
    body: UseCase<Input, Rest, Answer>,
  ): UseCase<Input, Rest, Answer> =>
  async (input, ask, ...rest) => {
    await requireRights(deps, call, scopesFor(input), ask);
    return body(input, ask, ...rest);
  };

const lacking = (caller: Caller, scopes: readonly Scope[]): readonly Scope[] =>
  scopes.filter((scope) => !caller.scopes.has(scope));

/** What a run takes. Waiting for it reads its results. */
export const scopesOfRun = (
  run: Pick<PlanInput, 'intensity' | 'credential_ref' | 'wait_seconds'>,
): readonly Scope[] => [
  'scan:run',
  ...(run.intensity === 'intrusive' ? (['scan:intrusive'] as const) : []),
  ...(run.credential_ref === undefined ? [] : (['credential:use'] as const)),
  ...(run.wait_seconds === 0 ? [] : (['scan:read'] as const)),
];

/** Of a run the first scope that its caller lacks; undefined when there is none. */
export const lackedByRun = (
  run: Pick<PlanInput, 'intensity' | 'credential_ref' | 'wait_seconds'>,
  caller: Caller,
): Scope | undefined => (caller.isOperator ? undefined : lacking(caller, scopesOfRun(run))[0]);
