import { SuppressInput, type Judged } from '../../model/contract/suppress.ts';
import { AppError } from '../../model/errors.ts';
import { parseFindingId } from '../../model/ids.ts';
import type { SuppressionSubject } from '../../model/suppression.ts';
import { cleanLine } from '../../model/untrusted.ts';
import type { ListedSuppression } from '../../scans/suppressions.ts';
import { exitCode } from '../exit-codes.ts';
import { readInput } from '../input.ts';
import { renderTable } from '../render/table.ts';
import type { Session } from '../session.ts';

export interface SuppressOptions {
  readonly reason: string;
  readonly status: string;
  readonly expires?: string;
  readonly everywhere?: boolean;
  readonly json?: boolean;
}

/** `scanmux suppress <finding_id>`. */
export const suppress = (session: Session, findingId: string, options: SuppressOptions): Promise<number> =>
  judge(session, options.json === true, {
    finding_id: findingId,
    status: options.status,
    reason: options.reason,
    expires_at: options.expires === undefined ? undefined : endOfDay(options.expires),
    scope: options.everywhere === true ? 'everywhere' : 'here',
  });

/** The last day counts, UTC, as in the policy file. */
const endOfDay = (day: string): string => `${day}T23:59:59Z`;

const judge = (session: Session, json: boolean, typed: Readonly<Record<string, unknown>>): Promise<number> =>
  session.withApp(
    async ({ scans }) => {
      const done = await scans.suppressFinding(readInput(SuppressInput, typed), session.ask());
      const { terminal } = session;
      terminal.out(json ? JSON.stringify(done, undefined, 2) : told(done));
      return exitCode('ok');
    },
    { spawnWorker: false },
  );

function told({ status, scope, rule_id: rule, finding_id: id, expires_at: expires }: Judged): string {
  const what = scope === 'here' ? `Finding ${id}` : `Every finding of rule ${cleanLine(rule, 200)}`;
  if (status === 'active') return `${what} is active: it counts as any other.`;
  return `${what} is suppressed (${status}) until ${expires ?? ''}.`;
}

export interface UnsuppressOptions {
  readonly reason?: string;
  readonly everywhere?: boolean;
}

/** `scanmux unsuppress <what>`: by a finding, or by what the list shows, also when its scan is gone. */
export function unsuppress(session: Session, what: string, options: UnsuppressOptions): Promise<number> {
  const { reason, everywhere = false } = options;
  if (parseFindingId(what)) {
    const scope = everywhere ? 'everywhere' : 'here';
    const typed = { finding_id: what, status: 'active', reason: reason ?? 'taken back', scope };
    return judge(session, false, typed);
  }
  const subject = subjectOf(what);
  return session.withApp(
    async ({ scans }) => {
      await scans.suppressed.takeBack(subject, session.ask(), reason);
      session.terminal.out(`${what} is no longer suppressed.`);
      return exitCode('ok');
    },
    { spawnWorker: false },
  );
}

/** Ids of rules may hold slashes; names of engines do not. */
function subjectOf(what: string): SuppressionSubject {
  if (/^[0-9a-f]{32}$/.test(what)) return { fingerprint: what };
  const [, engine, rule] = /^([^/]+)\/(.+)$/s.exec(what) ?? [];
  if (engine !== undefined && rule !== undefined) return { engine, rule_id: rule };
  throw new AppError('invalid_request', `${what} is no finding id, fingerprint or engine/rule.`, {
    hint: '`scanmux suppressions` shows what can be taken back.',
  });
}

/** `scanmux suppressions`. */
export const listSuppressions = (
  session: Session,
  { all = false, json = false }: { all?: boolean; json?: boolean },
): Promise<number> =>
  session.withApp(
    async ({ scans }) => {
      const { terminal } = session;
      const found = (await scans.suppressed.list(session.ask().caller)).filter(({ isExpired }) => all || !isExpired);
      if (json) terminal.out(JSON.stringify(found.map(shown), undefined, 2));
      else if (found.length === 0) terminal.out('Nothing is suppressed.');
      else {
        const titles = ['WHAT', 'STATUS', 'UNTIL', 'WHO', 'REASON'].map((title) => ({
          title,
          ...(title === 'WHAT' ? { least: 32 } : {}),
        }));
        const rows = found
          .map(shown)
          .map(({ what, status, expires_at, who, reason, expired }) => [
            what,
            status,
            expired ? `expired ${expires_at}` : expires_at,
            who,
            reason,
          ]);
        const head = (line: string): string => terminal.paint(line, 'bold');
        terminal.out(renderTable(titles, rows, { columns: terminal.columns, head }));
      }
      return exitCode('ok');
    },
    { spawnWorker: false },
  );

const shown = ({ fingerprint, engine, rule_id: rule, ...entry }: ListedSuppression) => ({
  what: fingerprint ?? `${engine ?? ''}/${rule ?? ''}`,
  status: entry.status,
  reason: entry.reason,
  who: entry.who,
  created_at: new Date(entry.createdAt).toISOString(),
  expires_at: new Date(entry.expiresAt).toISOString(),
  expired: entry.isExpired,
});
