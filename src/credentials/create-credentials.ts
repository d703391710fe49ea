import type { Environment } from '../config/environment.ts';
import { isFor } from '../model/caller.ts';
import { AppError } from '../model/errors.ts';
import { nearestName } from '../model/nearest.ts';
import { cleanLine } from '../model/untrusted.ts';
import { outsideOf } from './coverage.ts';
import type { CheckedTarget, Credentials, CredentialUse } from './credentials.ts';
import { credentialsInForce } from './file-in-force.ts';
import type { KnownCredential, KnownCredentials } from './read-credentials.ts';
import { resolveSecrets } from './resolve-secrets.ts';

export interface CredentialsOptions {
  /** Path of credentials.yaml; it need not exist. */
  readonly file: string;
  /** Where `{env: NAME}` is looked up, and what a command may get of. */
  readonly env: Environment;
}

/** The credentials of a credentials.yaml. Without the file there are none. */
export function createCredentials({ file, env }: CredentialsOptions): Credentials {
  const inForce = credentialsInForce(file);
  return {
    describe({ tenant }, pools) {
      const { known, lastError } = inForce();
      const refs = ofTenant(known, tenant)
        .filter(({ entry }) => pools === undefined || entry.pools.some((pool) => pools.includes(pool)))
        .map(({ ref, entry: { kind, description } }) => ({ ref, kind, description: cleanLine(description, 300) }));
      return { refs, ...(lastError === undefined ? {} : { lastError }) };
    },
    check(ref, use) {
      const { known, lastError } = inForce();
      if (lastError !== undefined) return unusable(lastError);
      const all = ofTenant(known, use.caller.tenant);
      const found = all.find((credential) => credential.ref === ref);
      return found ? refusalOf(found, use) : unknown(ref, all);
    },
    async resolve(ref, { privilege }, signal) {
      const { known, lastError } = inForce();
      if (lastError !== undefined) throw unusable(lastError);
      const found = known.get(ref);
      if (!found) throw unknown(ref, []);
      return resolveSecrets(found, privilege, { env, file, signal });
    },
  };
}

const ofTenant = (known: KnownCredentials, tenant: string): KnownCredential[] =>
  [...known.values()].filter(({ entry }) => isFor(entry.tenants, tenant)).toSorted((a, b) => (a.ref < b.ref ? -1 : 1));

const unusable = (why: string): AppError =>
  new AppError('config_invalid', `The credentials file cannot be used, so no credential is: ${why}`);

/** Names in an error. */
const NAMED = 20;

function unknown(ref: string, all: readonly KnownCredential[]): AppError {
  const refs = all.map((credential) => credential.ref);
  const meant = nearestName(ref, refs);
  const shown = JSON.stringify(cleanLine(ref, 64));
  if (refs.length === 0) {
    return new AppError('credential_unknown', `There is no credential ${shown}: none is set up.`, {
      hint: 'Use run_untrusted_scan; or operator: add it to credentials.yaml (docs/credentials.md). Do not retry.',
    });
  }
  const more = refs.length > NAMED ? ` and ${refs.length - NAMED} more` : '';
  const list = `There is no credential ${shown}. Credentials: ${refs.slice(0, NAMED).join(', ')}${more}.`;
  return new AppError('credential_unknown', meant === undefined ? list : `${list} Did you mean ${meant}?`);
}

function refusalOf(found: KnownCredential, use: CredentialUse): AppError | undefined {
  return refusePool(found, use.pool) ?? refusePrivilege(found, use.privilege) ?? refuseTargets(found, use.targets);
}

function refusePool({ ref, entry: { pools } }: KnownCredential, pool: string): AppError | undefined {
  if (pools.includes(pool)) return undefined;
  const has = pools.length === 0 ? 'no pool' : pools.slice(0, NAMED).join(', ');
  return denied(`Credential ${ref} may not be used with pool ${pool}; it is for ${has}.`, {
    hint: `${pools.length === 0 ? 'Operator' : 'Use one of these pools, or operator'}: add ${pool} to pools of ${ref} in credentials.yaml. Do not retry.`,
  });
}

function refusePrivilege({ ref, entry }: KnownCredential, privilege: string): AppError | undefined {
  if (privilege === 'user' || ('escalation' in entry && entry.escalation !== undefined)) return undefined;
  return denied(`Credential ${ref} has no way to become an administrator (privilege elevated).`, {
    hint: `Use privilege user, or operator: add escalation to ${ref} in credentials.yaml. Do not retry.`,
  });
}

/** Targets an error explains; all of them are in `targets`. */
const EXPLAINED = 3;

function refuseTargets(found: KnownCredential, targets: readonly CheckedTarget[]): AppError | undefined {
  const outside = targets.flatMap((checked) => {
    const why = outsideOf(found, checked);
    return why === undefined ? [] : [{ text: checked.target.text, why }];
  });
  if (outside.length === 0) return undefined;
  const told = outside.slice(0, EXPLAINED).map(({ text, why }) => `${text} ${why}`);
  const more = outside.length > EXPLAINED ? ` And ${outside.length - EXPLAINED} more.` : '';
  return denied(`Credential ${found.ref} may not be sent there: ${told.join('; ')}.${more}`, {
    hint: `Leave these targets out, or operator: add their addresses to targets of ${found.ref} in credentials.yaml. Do not retry.`,
    targets: outside.map(({ text }) => text),
  });
}

const denied = (message: string, options: { hint: string; targets?: readonly string[] }): AppError =>
  new AppError('credential_denied', message, options);
