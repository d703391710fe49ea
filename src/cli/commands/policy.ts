import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { POLICY_FILE } from '../../app.ts';
import { EVERY_TENANT, LOCAL_TENANT, Tenant } from '../../model/caller.ts';
import { RunUntrustedInput } from '../../model/contract/run.ts';
import { AppError } from '../../model/errors.ts';
import { editPolicy, type PolicyEdited } from '../../policy/edit-policy.ts';
import { adviceOn, checkExpires } from '../../policy/policy-advice.ts';
import type { PolicyAnswer } from '../../policy/policy.ts';
import { parseTarget } from '../../policy/target.ts';
import { isBuiltIn, scopeSource } from '../built-in-scope.ts';
import { hintForPeople, refusedPolicy } from '../errors-for-people.ts';
import { exitCode } from '../exit-codes.ts';
import { readInput } from '../input.ts';
import type { Session } from '../session.ts';

/** `scanmux policy show`: what is in force, and where it comes from. */
export const showPolicy = (session: Session): Promise<number> =>
  session.withApp(
    async ({ policy }) => {
      const scope = policy.describe('every tenant');
      const { allow, deny, maxHosts, maxIntensity, lastError } = scope;
      const { terminal } = session;
      terminal.out(`Source:         ${scopeSource(scope)}`);
      if (lastError !== undefined) {
        terminal.out('In force:       nothing: the file is refused, so every scan is denied');
        throw new AppError('config_invalid', refusedPolicy(lastError), {
          hint: 'Correct the file; it is read again at the next check.',
        });
      }
      terminal.out(`Max hosts:      ${maxHosts} per scan`);
      terminal.out(`Max intensity:  ${maxIntensity}`);
      terminal.out(['Allowed:', ...shown(allow)].join('\n'));
      terminal.out(['Denied:', ...shown(deny), '  - everything that is not allowed'].join('\n'));
      return exitCode('ok');
    },
    { spawnWorker: false },
  );

const shown = (rules: readonly string[]): string[] =>
  rules.length > 0 ? rules.map((rule) => `  - ${rule}`) : ['  (nothing)'];

export interface EditOptions {
  readonly note?: string;
  readonly expires?: string;
  readonly tenant?: string;
  readonly remove?: boolean;
}

/** `scanmux policy allow|deny <target>`: changes the file; every running process reads it at its next check. */
export const changePolicy = (
  session: Session,
  list: 'allow' | 'deny',
  target: string,
  options: EditOptions,
): Promise<number> =>
  session.withApp(
    async ({ audit }) => {
      const { note, expires, remove = false } = options;
      const tenant = whose(list, options);
      if (expires !== undefined) checkExpires(expires, list, Date.now());
      const file = join(session.folders().config, POLICY_FILE);
      const { caller, traceId } = session.ask();
      const detail = { list, remove, file, tenant: tenant ?? (list === 'allow' ? LOCAL_TENANT : EVERY_TENANT) };
      await audit.append({ caller, action: 'policy_change', decision: 'allowed', targets: [target], traceId, detail });
      const change = {
        list,
        target,
        ...(note === undefined ? {} : { note }),
        ...(expires === undefined ? {} : { expires }),
        tenant,
        ...(remove ? { remove } : {}),
      };
      const edited = await editPolicy(file, change, Date.now());
      tellEdit(
        session,
        edited,
        `${remove ? 'no longer in' : 'now in'} ${list} of ${file}${tenant === undefined ? '' : ` for tenant ${tenant}`}`,
      );
      const advice = remove
        ? []
        : adviceOn({ list, entry: edited.entry, tenant }, readFileSync(file, 'utf8'), Date.now());
      for (const sentence of advice) session.terminal.note(sentence);
      return exitCode('ok');
    },
    { spawnWorker: false },
  );

/**
 * Whose scans an edit is about. A deny entry is everybody's when it names nobody.
 * @throws AppError invalid_request
 */
const whose = (list: 'allow' | 'deny', { tenant }: Pick<EditOptions, 'tenant'>): string | undefined => {
  if (tenant !== EVERY_TENANT) return tenantOf({ tenant });
  return list === 'allow' ? EVERY_TENANT : undefined;
};

/** @throws AppError invalid_request */
const tenantOf = ({ tenant }: { readonly tenant?: string | undefined }): string | undefined =>
  readInput(z.object({ tenant: Tenant.optional() }), { tenant }).tenant;

/** What a new file says of this machine itself. */
const madeNote = (keptLocalhost: boolean): string =>
  keptLocalhost
    ? 'It allows localhost for every caller of tenant local, over HTTP as well; `scanmux policy allow localhost --remove` closes it.'
    : 'It does not allow localhost; `scanmux policy allow localhost` opens this machine to tenant local.';

function tellEdit({ terminal }: Session, edited: PolicyEdited, what: string): void {
  const { entry, changed, created, keptLocalhost, stillDeniedBy } = edited;
  terminal.out(changed ? `${entry} is ${what}.` : `Nothing to change: ${entry} is ${what} already.`);
  if (created) terminal.note(`The file was made just now; it replaces the built-in scope. ${madeNote(keptLocalhost)}`);
  if (stillDeniedBy.length === 0) return;
  terminal.note(
    `Deny wins: ${stillDeniedBy.join(', ')} still denies it; \`scanmux policy deny <target> --remove\` takes that out.`,
  );
}

/** `scanmux policy check <target>`: what a scan of it would be told. Sends nothing to the target. */
export const checkPolicy = (
  session: Session,
  target: string,
  { intensity, tenant, json }: { intensity?: string; tenant?: string; json?: boolean },
): Promise<number> =>
  session.withApp(
    async ({ policy }) => {
      const { terminal } = session;
      const input = readInput(RunUntrustedInput, { targets: [target], intensity });
      const ask = session.ask();
      const caller = {
        ...ask.caller,
        tenant: tenantOf({ tenant }) ?? LOCAL_TENANT,
      };
      const checked = { intensity: input.intensity, caller };
      const answer = await policy.check([parseTarget(target)], checked, ask.signal);
      if (json === true) terminal.out(JSON.stringify(answer, undefined, 2));
      else terminal.out(checkedLines(answer).join('\n'));
      if (isBuiltIn(policy.describe('every tenant'))) {
        terminal.note(
          'There is no policy.yaml: this holds for stdio and the command line. `scanmux serve` allows nothing.',
        );
      }
      return exitCode(answer.allowed ? 'ok' : 'refused');
    },
    { spawnWorker: false },
  );

/** Each target with its reason; what holds for the request as a whole is said once. */
function checkedLines({ targets, refusal }: PolicyAnswer): string[] {
  const isTold = targets.some(({ reason }) => reason === refusal?.reason);
  const lines = targets.flatMap(({ target, allowed, rule, reason, fix, resolved }) => {
    const isOwnFix = fix !== undefined && (isTold || fix !== refusal?.fix);
    return [
      `${target.text}: ${allowed ? 'allowed' : 'denied'} (${rule})`,
      ...(allowed ? [] : [`  ${reason}${isOwnFix ? ` ${hintForPeople(fix)}` : ''}`]),
      ...(resolved.length > 0 ? [`  addresses: ${resolved.join(', ')}`] : []),
    ];
  });
  return refusal && !isTold ? [...lines, `${refusal.reason} ${hintForPeople(refusal.fix)}`] : lines;
}
