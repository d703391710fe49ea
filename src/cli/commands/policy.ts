import { join } from 'node:path';
import { POLICY_FILE } from '../../app.ts';
import { RunUntrustedInput } from '../../model/contract/run.ts';
import { AppError } from '../../model/errors.ts';
import { editPolicy, type PolicyEdited } from '../../policy/edit-policy.ts';
import { parseTarget } from '../../policy/target.ts';
import { refusedPolicy } from '../errors-for-people.ts';
import { exitCode } from '../exit-codes.ts';
import { readInput } from '../input.ts';
import type { Session } from '../session.ts';

/** `scanmux policy show`: what is in force, and where it comes from. */
export const showPolicy = (session: Session): Promise<number> =>
  session.withApp(
    async ({ policy }) => {
      const { source, allow, deny, maxHosts, maxIntensity, lastError } = policy.describe();
      const { terminal } = session;
      terminal.out(`Source:         ${source}`);
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
      const file = join(session.folders().config, POLICY_FILE);
      const { caller, traceId } = session.ask();
      const detail = { list, remove, file };
      await audit.append({ caller, action: 'policy_change', decision: 'allowed', targets: [target], traceId, detail });
      const change = {
        list,
        target,
        ...(note === undefined ? {} : { note }),
        ...(expires === undefined ? {} : { expires }),
        ...(remove ? { remove } : {}),
      };
      const edited = await editPolicy(file, change, Date.now());
      tellEdit(session, edited, `${remove ? 'no longer in' : 'now in'} ${list} of ${file}`);
      return exitCode('ok');
    },
    { spawnWorker: false },
  );

function tellEdit({ terminal }: Session, { entry, changed, created, stillDeniedBy }: PolicyEdited, what: string): void {
  terminal.out(changed ? `${entry} is ${what}.` : `Nothing to change: ${entry} is ${what} already.`);
  if (created) terminal.note('The file was made just now; it replaces the built-in scope.');
  if (stillDeniedBy.length === 0) return;
  terminal.note(
    `Deny wins: ${stillDeniedBy.join(', ')} still denies it; \`scanmux policy deny <target> --remove\` takes that out.`,
  );
}

/** `scanmux policy check <target>`: what a scan of it would be told. Sends nothing to the target. */
export const checkPolicy = (
  session: Session,
  target: string,
  { intensity, json }: { intensity?: string; json?: boolean },
): Promise<number> =>
  session.withApp(
    async ({ policy }) => {
      const { terminal } = session;
      const input = readInput(RunUntrustedInput, { targets: [target], intensity });
      const ask = session.ask();
      const checked = { intensity: input.intensity, caller: ask.caller };
      const answer = await policy.check([parseTarget(target)], checked, ask.signal);
      if (json === true) terminal.out(JSON.stringify(answer, undefined, 2));
      else {
        for (const { target: asked, allowed, rule, reason, fix, resolved } of answer.targets) {
          terminal.out(`${asked.text}: ${allowed ? 'allowed' : 'denied'} (${rule})`);
          if (!allowed) terminal.out(`  ${reason}${fix === undefined ? '' : ` ${fix}`}`);
          if (resolved.length > 0) terminal.out(`  addresses: ${resolved.join(', ')}`);
        }
        if (answer.refusal) terminal.out(`${answer.refusal.reason} ${answer.refusal.fix}`);
      }
      return exitCode(answer.allowed ? 'ok' : 'refused');
    },
    { spawnWorker: false },
  );
