import { requireScope, type Caller } from '../model/caller.ts';
import { AppError, errorFacts } from '../model/errors.ts';
import { isDeadLetter, type ScanRecord, type ScanRequest } from '../model/scan.ts';
import { parseTarget } from '../policy/target.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { findScan } from './find-scan.ts';
import type { WithinQuota } from './quota.ts';
import { requireRights, scopesOfRun } from './rights.ts';

type Deps = Pick<ScanDeps, 'queue' | 'audit' | 'wakeWorker' | 'files' | 'findings' | 'log' | 'policy' | 'limits'> & {
  readonly withinQuota: WithinQuota;
};

const LIST_LIMIT = 1_000;

/** Scans that failed or timed out for good, for operators. */
export interface DeadLetters {
  readonly list: (caller: Caller) => Promise<readonly ScanRecord[]>;
  /** Takes what the run itself took, of rights and of quotas. @throws AppError scan_not_found, forbidden, quota_exceeded,
   * invalid_request */
  readonly retry: (scanId: string, ask: Ask) => Promise<ScanRecord>;
  /** Removes those that ended before `before` (epoch milliseconds) and their files; what cannot be removed now goes with
   * a later sweep. */
  readonly purge: (before: number, ask: Ask) => Promise<readonly string[]>;
}

/** Addresses the scan covers today; names may stand for others than when it was submitted. */
async function hostsOf({ policy, limits }: Deps, { targets, intensity }: ScanRequest, ask: Ask): Promise<number> {
  if (ask.caller.isOperator || limits.hostsPerDay === 0) return 0;
  const parsed = targets.map((text) => parseTarget(text));
  const { hosts } = await policy.check(parsed, { intensity, caller: ask.caller }, ask.signal);
  return hosts;
}

async function noted(body: () => Promise<void>, note: (code: string) => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    await note(errorFacts(error).code);
    throw error;
  }
}

export function createDeadLetters(deps: Deps): DeadLetters {
  const { queue, audit, wakeWorker, files, findings, log } = deps;
  return {
    async list(caller) {
      requireScope(caller, 'scan:read');
      return queue.deadLetters(caller.tenant, LIST_LIMIT);
    },
    async retry(scanId, ask) {
      const { caller, traceId } = ask;
      const { request, state } = await findScan(queue, caller.tenant, scanId);
      // It runs as it was asked for then, perhaps by somebody who may do more.
      const scopes = scopesOfRun({ ...request, wait_seconds: 0 });
      await requireRights({ audit }, 'dead_letter_retry', scopes, ask);
      if (!isDeadLetter(state)) throw new AppError('invalid_request', `${scanId} is ${state}, not a dead letter.`);
      const hosts = await hostsOf(deps, request, ask);
      const { scan } = await deps.withinQuota({ hosts }, ask, async (reserve) => {
        await noted(reserve, (decision) => audit({ caller, action: 'refuse', decision, scanId, traceId }));
        await audit({ caller, action: 'dead_letter_retry', decision: 'allowed', scanId, traceId });
        return { scan: await queue.retryDeadLetter(caller.tenant, scanId), deduplicated: false };
      });
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
