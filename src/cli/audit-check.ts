import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '../app.ts';
import type { AuditVerdict } from '../audit/verify.ts';
import { ListScansInput } from '../model/contract/lists.ts';
import { AppError } from '../model/errors.ts';
import type { Session } from './session.ts';

/**
 * A log whose database was taken away. Looked at before the application opens the folder, which would make a new one.
 * @param data The data folder.
 */
export function missingLog(data: string): AuditVerdict | undefined {
  if (existsSync(join(data, 'audit.db')) || !existsSync(join(data, 'audit.head'))) return undefined;
  return { ok: false, entries: 0, reason: 'audit.db is missing, although audit.head is there', lastHash: '' };
}

/** The chain, held against the queue: with both of its files deleted a log would look new. */
export async function checkAudit({ audit, scans, redis }: App, session: Session): Promise<AuditVerdict> {
  // Counted first: a scan is in the log before it is in the queue.
  const total = await scansKnown(scans, session);
  const verdict = await audit.verify();
  // Scans in Redis may be from machines that have a data folder, and so a log, of their own.
  const isExplained = total === 0 || redis !== undefined;
  if (verdict.entries > 0 || (verdict.ok && isExplained)) return verdict;
  if (!verdict.ok) return { ...verdict, reason: `the log is empty: ${verdict.reason ?? 'its entries are gone'}` };
  const held = total === 1 ? 'a scan, which was' : `${total} scans, each of which was`;
  const reason = `the log is empty although the queue holds ${held} in it: its files were deleted`;
  return { ...verdict, ok: false, reason };
}

/** A queue that cannot be read proves nothing; what is wrong with it is told elsewhere. */
async function scansKnown(scans: App['scans'], { ask }: Session): Promise<number> {
  try {
    return (await scans.listScans(ListScansInput.parse({ limit: 1 }), ask())).total;
  } catch (error) {
    if (error instanceof AppError) return 0;
    throw error;
  }
}

/** What a verdict says, without its first words. */
export function brokenText({ firstBad, reason = 'an entry is not as it was written' }: AuditVerdict): string {
  const place = firstBad === undefined ? '' : ` at entry ${firstBad}`;
  return `${place}: ${reason.replace(/\.$/, '')}.`;
}

export const AUDIT_FIX =
  'keep a copy of audit.db and audit.head of the data folder, as they are, and find out who could write there.';
