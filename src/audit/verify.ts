import { setImmediate as turn } from 'node:timers/promises';
import type { Database } from '../platform/sqlite.ts';
import { entryHash, entryOfRow, GENESIS } from './entry.ts';
import type { Head } from './head.ts';

export interface AuditVerdict {
  readonly ok: boolean;
  /** Entries there are. */
  readonly entries: number;
  /** Number of the first entry that is not as it was written. */
  readonly firstBad?: number;
  readonly reason?: string;
  /** Hash of the newest entry: kept elsewhere, it proves later that everything up to it is unchanged. */
  readonly lastHash: string;
}

const PAGE = 500;

/**
 * Walks the chain from the first entry, and compares it with the head file.
 * @param head read before the rows, so that entries appended meanwhile cannot look like a break.
 */
export async function verifyChain(db: Database, head: Head | 'unreadable' | undefined): Promise<AuditVerdict> {
  const page = db.prepare('SELECT * FROM entries WHERE seq > ? ORDER BY seq LIMIT ?');
  let last = { seq: 0, hash: GENESIS };
  let hashAtHead = GENESIS;
  const bad = (seq: number, reason: string): AuditVerdict => ({
    ok: false,
    entries: countOf(db),
    firstBad: seq,
    reason,
    lastHash: last.hash,
  });
  if (countBelowOne(db) > 0) return bad(0, 'There is an entry before the first one.');
  for (;;) {
    const rows = page.all(last.seq, PAGE);
    if (rows.length === 0) break;
    for (const row of rows) {
      const problem = problemOf(row, last);
      if (problem) return bad(last.seq + 1, problem);
      last = { seq: last.seq + 1, hash: String(row['hash']) };
      if (typeof head === 'object' && head.seq === last.seq) hashAtHead = last.hash;
    }
    await turn();
  }
  const cut = headProblem(head, last.seq, hashAtHead);
  return cut ? bad(cut.seq, cut.reason) : { ok: true, entries: last.seq, lastHash: last.hash };
}

function problemOf(row: unknown, last: { seq: number; hash: string }): string | undefined {
  const entry = entryOfRow(row);
  if (!entry) return 'The entry is not in the form it was written in.';
  if (entry.seq !== last.seq + 1) return `Entries ${last.seq + 1} to ${entry.seq - 1} are missing.`;
  if (entry.prevHash !== last.hash) return 'The entry does not follow the one before it.';
  return entryHash(entry) === entry.hash ? undefined : 'The entry was changed after it was written.';
}

function headProblem(
  head: Head | 'unreadable' | undefined,
  lastSeq: number,
  hashAtHead: string,
): { seq: number; reason: string } | undefined {
  if (head === undefined) return { seq: lastSeq + 1, reason: 'audit.head is missing.' };
  if (head === 'unreadable') return { seq: lastSeq + 1, reason: 'audit.head is unreadable.' };
  if (head.seq > lastSeq) {
    return { seq: lastSeq + 1, reason: `Entries ${lastSeq + 1} to ${head.seq} were cut off the end.` };
  }
  return head.hash === hashAtHead ? undefined : { seq: head.seq, reason: 'The chain is not the one audit.head ends.' };
}

const count = (db: Database, where: string): number =>
  Number(db.prepare(`SELECT count(*) AS n FROM entries ${where}`).get()?.['n'] ?? 0);
const countOf = (db: Database): number => count(db, '');
const countBelowOne = (db: Database): number => count(db, 'WHERE seq < 1');
