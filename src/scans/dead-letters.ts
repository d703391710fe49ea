import { requireScope, type Caller } from '../model/caller.ts';
import type { ScanRecord } from '../model/scan.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { findScan } from './find-scan.ts';
import { requireRights, scopesOfRun } from './rights.ts';

type Deps = Pick<ScanDeps, 'queue' | 'audit' | 'wakeWorker' | 'files' | 'findings' | 'log'>;

const LIST_LIMIT = 1_000;

/** Scans that failed or timed out for good, for operators. */
export interface DeadLetters {
  readonly list: (caller: Caller) => Promise<readonly ScanRecord[]>;
  /** Takes what the run itself took. @throws AppError scan_not_found, forbidden, invalid_request */
  readonly retry: (scanId: string, ask: Ask) => Promise<ScanRecord>;
  /** Removes those that ended before `before` (epoch milliseconds) and their files; what cannot be removed now goes with
   * a later sweep. */
  readonly purge: (before: number, ask: Ask) => Promise<readonly string[]>;
}

export function createDeadLetters({ queue, audit, wakeWorker, files, findings, log }: Deps): DeadLetters {
  return {
    async list(caller) {
      requireScope(caller, 'scan:read');
      return queue.deadLetters(caller.tenant, LIST_LIMIT);
    },
    async retry(scanId, ask) {
      const { caller, traceId } = ask;
      const { request } = await findScan(queue, caller.tenant, scanId);
      // It runs as it was asked for then, perhaps by somebody who may do more.
      const scopes = scopesOfRun({ ...request, wait_seconds: 0 });
      await requireRights({ audit }, 'dead_letter_retry', scopes, ask);
      await audit({ caller, action: 'dead_letter_retry', decision: 'allowed', scanId, traceId });
      const scan = await queue.retryDeadLetter(caller.tenant, scanId);
      wakeWorker();
      return scan;
    },
    async purge(before, { caller, traceId }) {
      const detail = { before: new Date(before).toISOString() };
      await audit({ caller, action: 'dead_letter_purge', decision: 'allowed', traceId, detail });
      const removed = await queue.purgeDeadLetters(caller.tenant, before);
      try {
        await files.removeScans(removed);
        await findings.tidyExports(removed);
      } catch (error) {
        log.warn({ err: error, scans: removed.length }, 'files of purged dead letters could not be removed yet');
      }
      return removed;
    },
  };
}
