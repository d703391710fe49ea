import { setTimeout as delay } from 'node:timers/promises';
import type { CheckedTarget, CredentialUse } from '../credentials/credentials.ts';
import type { Credential } from '../model/credential.ts';
import { AppError, errorFacts } from '../model/errors.ts';
import type { Claim } from '../queue/queue.ts';
import type { WorkerDeps } from './deps.ts';
import { mayRetry, retryDelayMs } from './retry.ts';

type Deps = Pick<WorkerDeps, 'credentials' | 'audit' | 'settings' | 'random'>;

/**
 * What a scan logs in with, read where the operator keeps it; undefined for a scan without. Asked once more, with the
 * addresses that will be scanned: the file may have changed, and a name may have moved.
 * @param targets As the policy has just checked them.
 * @throws AppError credential_unknown, credential_denied; config_invalid, credential_unavailable; scan_aborted, which is
 *   tried again, while the file is broken: it may be half saved
 */
export async function useCredential(
  deps: Deps,
  claim: Claim,
  targets: readonly CheckedTarget[],
  signal: AbortSignal,
): Promise<Credential | undefined> {
  const { credentials, audit } = deps;
  const { scan, instance } = claim;
  const { credential_ref: ref, privilege = 'user', pool, access } = scan.request;
  if (access === 'untrusted' || ref === undefined) return undefined;
  const caller = { tenant: scan.tenant, name: 'worker' };
  const use: CredentialUse = { caller, pool, privilege, targets };
  const refusal = credentials.check(ref, use);
  if (refusal) throw atRunTime(refusal);
  await audit({
    caller,
    action: 'credential_use',
    decision: 'allowed',
    scanId: scan.scanId,
    traceId: scan.traceId,
    targets: scan.request.targets,
    detail: { credential_ref: ref, privilege, pool, instance },
  });
  return patiently(deps, claim, () => credentials.resolve(ref, use, signal));
}

/**
 * A scan that runs outside would have to be ended and begun anew for want of its login, so what may pass is waited for;
 * without one, the scan itself is what is tried again.
 */
async function patiently<T>({ settings, random }: Deps, { checkpoint }: Claim, read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      const facts = errorFacts(error);
      const isWorthIt = checkpoint !== undefined && facts.code === 'credential_unavailable';
      if (!isWorthIt || !mayRetry(facts, attempt, settings.retry)) throw error;
      await delay(retryDelayMs(attempt, settings.retry, random));
    }
  }
}

function atRunTime(refusal: AppError): AppError {
  const { code, message, hint, targets } = refusal;
  if (code === 'config_invalid') {
    return new AppError('scan_aborted', 'At run time: the credentials file cannot be used, so no credential is.', {
      hint: 'Operator: `scanmux doctor` says what is wrong with the file.',
    });
  }
  return new AppError(code, `At run time: ${message}`, { hint, ...(targets ? { targets } : {}) });
}
