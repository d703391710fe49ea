import { AppError } from '../model/errors.ts';
import type { Caller } from '../model/caller.ts';
import type { PlanInput } from '../model/contract/run.ts';
import type { ScanRequest } from '../model/scan.ts';
import type { CheckedTarget } from '../credentials/credentials.ts';
import type { PolicyAnswer, TargetDecision } from '../policy/policy.ts';
import type { Pool, Registry } from '../registry/registry.ts';
import type { ScanDeps } from './deps.ts';

/** The part of a request that says how to log in; empty for a scan without. */
export function accessOf(
  { credential_ref: ref, privilege = 'user' }: PlanInput,
  pool: Pool,
  registry: Registry,
): Pick<ScanRequest, 'access' | 'credential_ref' | 'privilege'> {
  if (ref === undefined) return { access: 'untrusted' };
  requireLogins(pool, registry);
  if (privilege === 'elevated' && !pool.capabilities.options.includes('privilege')) {
    throw new AppError(
      'option_unsupported',
      `Pool ${pool.name} (${pool.capabilities.engine}) cannot rise to administrator (privilege elevated).`,
      { hint: 'Use privilege user, or a pool whose options include privilege.' },
    );
  }
  return { access: 'authenticated', credential_ref: ref, privilege };
}

function requireLogins({ name, capabilities }: Pool, registry: Registry): void {
  if (capabilities.authenticated) return;
  const others = registry.pools().filter((pool) => pool.capabilities.authenticated);
  const can = others.map((pool) => pool.name).join(', ');
  throw new AppError('option_unsupported', `Pool ${name} (${capabilities.engine}) cannot log in (credential_ref).`, {
    hint:
      others.length > 0
        ? `Use one of the pools that can: ${can}.`
        : 'No configured pool can: use run_untrusted_scan; or operator: add a scanner that logs in (docs/credentials.md).',
  });
}

/** A target with the addresses the policy checked just now. */
const checked = ({ target, resolved }: TargetDecision): CheckedTarget => ({ target, addresses: resolved });

/** Why the credential of a request may not be used for what the policy allows of it; undefined when it may. */
export function refuseCredential(
  { credentials }: Pick<ScanDeps, 'credentials'>,
  { credential_ref: ref, privilege = 'user', pool }: ScanRequest,
  { targets }: PolicyAnswer,
  caller: Pick<Caller, 'tenant'>,
): AppError | undefined {
  if (ref === undefined) return undefined;
  return credentials.check(ref, {
    caller,
    pool,
    privilege,
    targets: targets.filter(({ allowed }) => allowed).map(checked),
  });
}

/** The policy's answer with what the credential forbids besides. @throws AppError credential_unknown, config_invalid */
export function withCredential(answer: PolicyAnswer, ref: string, refusal: AppError): PolicyAnswer {
  if (refusal.code !== 'credential_denied') throw refusal;
  const { targets: outside, message, hint } = refusal;
  const targets = answer.targets.map((decision): TargetDecision => {
    const isMeant = decision.allowed && (outside === undefined || outside.includes(decision.target.text));
    if (!isMeant) return decision;
    const { target, resolved } = decision;
    return { target, resolved, allowed: false, rule: `credential ${ref}`, reason: message, fix: hint };
  });
  return { ...answer, allowed: false, targets };
}
