import { AppError } from '../../model/errors.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { exitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';

/** `scanmux audit verify`: is every entry as it was written? */
export const verifyAudit = (session: Session, { json }: { json?: boolean }): Promise<number> =>
  session.withApp(
    async ({ audit }) => {
      const verdict = await audit.verify();
      const { ok, entries, firstBad, reason, lastHash } = verdict;
      const { terminal } = session;
      if (json === true) terminal.out(JSON.stringify(verdict, undefined, 2));
      else if (ok) terminal.out(`The audit log is unbroken: ${entries} entries, last hash ${lastHash}.`);
      else {
        const place = firstBad === undefined ? '' : ` at entry ${firstBad}`;
        terminal.out(`The audit log is BROKEN${place}: ${reason ?? 'an entry is not as it was written'}.`);
        terminal.note('Keep a copy of audit.db and audit.head of the data folder, and find out who could write there.');
      }
      return exitCode(ok ? 'ok' : 'failed');
    },
    { spawnWorker: false },
  );

const MAX_TAIL = 10_000;

/** `scanmux audit tail [n]`: the newest entries, oldest first. */
export const tailAudit = (session: Session, count: number, { json }: { json?: boolean }): Promise<number> => {
  if (count < 1 || count > MAX_TAIL) {
    throw new AppError('invalid_request', `[n]: must be 1 to ${MAX_TAIL}.`);
  }
  return session.withApp(
    async ({ audit }) => {
      const { terminal } = session;
      for (const entry of await audit.tail(count)) {
        const { seq, at, caller, action, decision, scanId: id, targets } = entry;
        const line = [seq, new Date(at).toISOString(), caller.name, action, decision, id, targets.join(' ')];
        const words = line.filter((word) => word !== undefined && word !== '').join('  ');
        terminal.out(json === true ? JSON.stringify(entry) : cleanLine(words, 2_000));
      }
      return exitCode('ok');
    },
    { spawnWorker: false },
  );
};
