import type { AuditEntry } from '../../audit/entry.ts';
import { EVERY_TENANT } from '../../model/caller.ts';
import { AppError } from '../../model/errors.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { AUDIT_FIX, brokenText, checkAudit, missingLog } from '../audit-check.ts';
import { exitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';

/** `scanmux audit verify`: is every entry as it was written? */
export async function verifyAudit(session: Session, { json }: { json?: boolean }): Promise<number> {
  const verdict =
    missingLog(session.folders().data) ??
    (await session.withApp((app) => checkAudit(app, session), { spawnWorker: false }));
  const { ok, entries, lastHash } = verdict;
  const { terminal } = session;
  if (json === true) terminal.out(JSON.stringify(verdict, undefined, 2));
  else if (ok) terminal.out(`The audit log is unbroken: ${entries} entries, last hash ${lastHash}.`);
  else {
    terminal.out(`The audit log is BROKEN${brokenText(verdict)}`);
    terminal.note(capital(AUDIT_FIX));
  }
  return exitCode(ok ? 'ok' : 'failed');
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What a change of the scope did, and for whom. */
function changeText({ action, detail: { list, remove, tenant } }: AuditEntry): string | undefined {
  if (action !== 'policy_change' || typeof list !== 'string') return undefined;
  const did = remove === true ? `removed from ${list}` : list;
  return typeof tenant === 'string'
    ? `${did} for ${tenant === EVERY_TENANT ? 'every tenant' : `tenant ${tenant}`}`
    : did;
}

const MAX_TAIL = 10_000;

/** `scanmux audit tail [n]`: the newest entries, oldest first. */
export const tailAudit = (session: Session, count: number, { json }: { json?: boolean }): Promise<number> => {
  if (count < 1 || count > MAX_TAIL) {
    throw new AppError('invalid_request', `[n]: must be 1 to ${MAX_TAIL}.`);
  }
  const missing = missingLog(session.folders().data);
  if (missing) {
    throw new AppError('storage_unusable', `The audit log cannot be shown: ${missing.reason ?? ''}.`, {
      hint: '`scanmux audit verify` says what to do.',
    });
  }
  return session.withApp(
    async ({ audit }) => {
      const { terminal } = session;
      const entries = await audit.tail(count);
      if (entries.length === 0) terminal.note('The audit log is empty.');
      for (const entry of entries) {
        const { seq, at, caller, action, decision, scanId: id, targets } = entry;
        const when = new Date(at).toISOString();
        const line = [seq, when, caller.name, action, decision, id, targets.join(' '), changeText(entry)];
        const words = line.filter((word) => word !== undefined && word !== '').join('  ');
        terminal.out(json === true ? JSON.stringify(entry) : cleanLine(words, 2_000));
      }
      return exitCode('ok');
    },
    { spawnWorker: false },
  );
};
