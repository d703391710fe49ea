import { AppError } from '../model/errors.ts';
import { requestHash, type ScanRequest } from '../model/scan.ts';
import { DAY_MS } from '../queue/quotas.ts';
import type { Submitted } from '../queue/queue.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { createTurnTaking } from './turn-taking.ts';

type Deps = Pick<ScanDeps, 'queue' | 'quotas' | 'limits' | 'clock'>;

/** A scan that is about to be queued. */
export interface Wanted {
  /** Addresses it covers. */
  readonly hosts: number;
  /** What an earlier scan may answer instead; absent when none may. */
  readonly repeats?: { readonly request: ScanRequest; readonly idempotencyKey: string | undefined };
}

/**
 * Queues within what the tenant may use up. `hosts_per_day` is exact over all processes. `active_scans` is exact within
 * this process; with several at once it may be passed by one scan for each other process.
 */
export type WithinQuota = (
  wanted: Wanted,
  ask: Ask,
  body: (reserve: () => Promise<void>) => Promise<Submitted>,
) => Promise<Submitted>;

const RETRY_SECONDS = 30;

/** @throws AppError quota_exceeded from `reserve` */
export function createWithinQuota(deps: Deps): WithinQuota {
  const { limits, quotas } = deps;
  const turns = new Map<string, ReturnType<typeof createTurnTaking>>();
  const turnOf = (tenant: string) => {
    const known = turns.get(tenant) ?? createTurnTaking();
    turns.set(tenant, known);
    return known;
  };
  const isUnlimited = limits.activeScans === 0 && limits.hostsPerDay === 0;
  return async (wanted, ask, body) => {
    const { caller, signal } = ask;
    if (caller.isOperator || isUnlimited) return body(() => Promise.resolve());
    return turnOf(caller.tenant)(async () => {
      let taken = 0;
      const giveBack = async (): Promise<void> => {
        if (taken > 0) await quotas.giveBackHosts(caller.tenant, taken);
      };
      try {
        const submitted = await body(async () => {
          taken = await reserve(deps, wanted, caller.tenant);
        });
        if (submitted.deduplicated !== false) await giveBack();
        return submitted;
      } catch (error) {
        await giveBack();
        throw error;
      }
    }, signal);
  };
}

/** @returns the hosts that were counted */
async function reserve(deps: Deps, wanted: Wanted, tenant: string): Promise<number> {
  const { limits, quotas } = deps;
  if (limits.activeScans > 0 && (await quotas.liveScans(tenant)) >= limits.activeScans) {
    return refuseUnlessKnown(deps, wanted, tenant, tooManyScans(limits.activeScans));
  }
  if (limits.hostsPerDay === 0) return 0;
  const { taken, used } = await quotas.takeHosts({ tenant, hosts: wanted.hosts, limit: limits.hostsPerDay });
  if (taken) return wanted.hosts;
  return refuseUnlessKnown(deps, wanted, tenant, tooManyHosts(deps, wanted.hosts, used));
}

/** Whoever only repeats a call gets its scan, which uses up nothing more. */
async function refuseUnlessKnown(deps: Deps, wanted: Wanted, tenant: string, refusal: AppError): Promise<number> {
  if (!wanted.repeats) throw refusal;
  const { request, idempotencyKey } = wanted.repeats;
  const twin = await deps.queue.wouldDeduplicateTo({
    tenant,
    requestHash: requestHash(request),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });
  if (twin) return 0;
  throw refusal;
}

const tooManyScans = (limit: number): AppError =>
  new AppError(
    'quota_exceeded',
    `${limit} scans are queued or running, which is the most there may be (active_scans).`,
    {
      hint: 'Wait for one to finish, or cancel one; or operator: raise limits.active_scans in scanmux.yaml.',
      retryAfterSeconds: RETRY_SECONDS,
    },
  );

function tooManyHosts({ limits, clock }: Deps, hosts: number, used: number): AppError {
  const left = limits.hostsPerDay - used;
  const seconds = Math.ceil((DAY_MS - (clock.now() % DAY_MS)) / 1_000);
  const isForAnotherDay = hosts <= limits.hostsPerDay;
  const next = isForAnotherDay
    ? 'Scan fewer, or try again after midnight UTC'
    : `Scan fewer at once: there are never more than ${limits.hostsPerDay} in one day`;
  return new AppError(
    'quota_exceeded',
    `The scan covers ${hosts} addresses; of ${limits.hostsPerDay} for today (hosts_per_day) ${Math.max(0, left)} are left.`,
    {
      hint: `${next}; or operator: raise limits.hosts_per_day in scanmux.yaml.`,
      retryAfterSeconds: seconds,
    },
  );
}
