/** What a tenant wants to have counted. */
export interface HostsWanted {
  readonly tenant: string;
  readonly hosts: number;
  /** Most hosts in one day. */
  readonly limit: number;
}

/**
 * What tenants have used, counted durably and for every process of one queue. Every adapter passes
 * test/contracts/quotas-contract.ts.
 *
 * All methods: @throws AppError queue_unavailable (in bounded time, never a hang), storage_full.
 */
export interface Quotas {
  /**
   * Counts hosts against today (UTC) in one atomic step, unless that would be more than the limit: then nothing is
   * counted. `used` is the number of today before this call.
   */
  takeHosts(wanted: HostsWanted): Promise<{ readonly taken: boolean; readonly used: number }>;
  /** Takes back what was counted a moment ago for a scan that was not made. Never below 0. */
  giveBackHosts(tenant: string, hosts: number): Promise<void>;
  /** Scans of the tenant that are queued, running or waiting for a retry. */
  liveScans(tenant: string): Promise<number>;
  /** The same by pool; pools without any are left out. */
  liveByPool(tenant: string): Promise<readonly LivePool[]>;
}

export interface LivePool {
  readonly pool: string;
  readonly queued: number;
  readonly running: number;
  readonly retrying: number;
  /** Milliseconds the oldest of the queued has waited since it was queued last. */
  readonly oldestQueuedMs?: number;
}

export const DAY_MS = 86_400_000;
/** Days are those of UTC: every process means the same one. */
export const dayOf = (now: number): number => Math.floor(now / DAY_MS);
