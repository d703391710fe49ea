import { requireScope, type Caller } from '../model/caller.ts';
import { AppError } from '../model/errors.ts';
import type { SuppressionSubject } from '../model/suppression.ts';
import type { StoredSuppression } from '../queue/suppressions.ts';
import type { Ask, ScanDeps } from './deps.ts';

type Deps = Pick<ScanDeps, 'suppressions' | 'audit' | 'clock'>;

export interface ListedSuppression extends StoredSuppression {
  readonly isExpired: boolean;
}

/** What people judged about findings, for operators. */
export interface Suppressed {
  readonly list: (caller: Caller) => Promise<readonly ListedSuppression[]>;
  /** @throws AppError finding_not_found when nothing is suppressed by that */
  readonly takeBack: (subject: SuppressionSubject, ask: Ask, reason?: string) => Promise<StoredSuppression>;
}

export function createSuppressed({ suppressions, audit, clock }: Deps): Suppressed {
  return {
    async list(caller) {
      requireScope(caller, 'scan:read');
      const { tenant } = caller;
      const now = clock.now();
      return (await suppressions.list(tenant)).map((entry) => ({ ...entry, isExpired: entry.expiresAt <= now }));
    },
    async takeBack(subject, { caller, traceId }, reason) {
      const detail = { ...subject, status: 'active', ...(reason === undefined ? {} : { reason }) };
      await audit({ caller, action: 'suppress', decision: 'allowed', traceId, detail });
      const was = await suppressions.remove(caller.tenant, subject);
      if (was) return was;
      throw new AppError('finding_not_found', 'Nothing is suppressed by that.', {
        hint: '`scanmux suppressions` lists what is.',
      });
    },
  };
}
