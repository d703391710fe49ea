import type { ScanRecord, ScanState } from '../model/scan.ts';
import type { Severity } from '../model/finding.ts';

/** What a worker process says of itself with every heartbeat. */
export interface WorkerFacts {
  /** Pools it serves; absent: all. */
  readonly pools?: readonly string[];
  /** Scans it runs at once, over all pools. */
  readonly concurrency: number;
  readonly version: string;
  /** Name of its machine. */
  readonly host: string;
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** It was asked to go: it takes no new scans and finishes those it has. */
  readonly draining: boolean;
}

/** Pools that somebody of these serves; undefined: all. */
export function servedPools(
  workers: readonly { readonly pools?: readonly string[] | undefined }[],
): ReadonlySet<string> | undefined {
  const named = workers.flatMap(({ pools }) => pools ?? []);
  return workers.some(({ pools }) => pools === undefined) ? undefined : new Set(named);
}

/** A worker that has not said anything of itself yet. */
export const UNKNOWN_WORKER: WorkerFacts = {
  concurrency: 0,
  version: 'unknown',
  host: 'unknown',
  pid: 0,
  startedAt: 0,
  draining: false,
};

export interface SeenWorker extends WorkerFacts {
  readonly workerId: string;
  readonly running: number;
  /** Milliseconds since its last heartbeat. */
  readonly beatAgoMs: number;
}

/** Scans of every tenant, for an operator's pages. Newest first. */
export interface OperatorFilter {
  readonly pool?: string;
  readonly states: readonly ScanState[];
  readonly offset: number;
  readonly limit: number;
}

/** How long finished scans stay. */
export interface Retention {
  /** Finished scans that ended before this (epoch milliseconds) go. Undefined: age is no reason. */
  readonly finishedBefore?: number;
  /** The same for dead letters (failed, timed out). */
  readonly deadBefore?: number;
  /** Of every tenant's finished scans, dead letters aside, only the newest this many stay. */
  readonly keepNewest?: number;
  /** Most to remove in one call. */
  readonly limit: number;
}

export interface RemovedScan {
  readonly tenant: string;
  readonly scanId: string;
}

/** Sums since the store was made, over all processes, each in the transaction of what it counts. */
export interface QueueCounters {
  /** Accepted scans, without repeats. */
  readonly submitted: readonly { readonly pool: string; readonly count: number }[];
  /** Claims by workers, retries and adoptions included. */
  readonly started: readonly { readonly pool: string; readonly count: number }[];
  readonly finished: readonly {
    readonly pool: string;
    readonly state: 'completed' | 'failed' | 'timed_out' | 'cancelled';
    readonly count: number;
  }[];
  readonly retried: readonly { readonly pool: string; readonly count: number }[];
  /** Leases lost: attempts whose worker died or froze. */
  readonly lost: readonly { readonly pool: string; readonly count: number }[];
  /** Seconds from first start to end of scans that ran, cumulative by upper bound (the last is +Infinity). */
  readonly durations: readonly {
    readonly pool: string;
    readonly buckets: readonly { readonly le: number; readonly count: number }[];
    readonly sum: number;
    readonly count: number;
  }[];
  readonly findings: readonly { readonly engine: string; readonly severity: Severity; readonly count: number }[];
}

/** Upper bounds of `durations`, in seconds. */
export const DURATION_BOUNDS: readonly number[] = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];

/** Numbers of scans now, over all tenants. */
export interface QueueGauges {
  readonly pools: readonly {
    readonly pool: string;
    readonly queued: number;
    readonly retrying: number;
    readonly running: number;
    readonly deadLetters: number;
    readonly oldestQueuedMs?: number;
  }[];
  readonly active: readonly { readonly pool: string; readonly instance: string; readonly count: number }[];
}

/**
 * What operators and the housekeeper need of the queue, over all tenants. Every adapter passes
 * test/contracts/operations-contract.ts.
 *
 * All methods: @throws AppError queue_unavailable (in bounded time, never a hang), storage_full.
 */
export interface QueueOperations {
  /** Live workers, by id. */
  workers(): Promise<readonly SeenWorker[]>;
  list(filter: OperatorFilter): Promise<{ readonly scans: readonly ScanRecord[]; readonly total: number }>;
  find(scanId: string): Promise<ScanRecord | undefined>;
  counters(): Promise<QueueCounters>;
  gauges(): Promise<QueueGauges>;
  /**
   * Removes records of finished scans with their events; their idempotency keys stay for their lifetime. Oldest first.
   * Their files are the caller's: nothing refers to them any more.
   */
  removeFinished(retention: Retention): Promise<readonly RemovedScan[]>;
  /**
   * Elects one of all processes: true for the holder until `forMs` after its last call, false for the others. Who dies
   * is followed by another after that time.
   */
  takeTurn(turn: string, holder: string, forMs: number): Promise<boolean>;
  /** Gives a turn back, so that another need not wait for its end. Nothing where somebody else has it. */
  releaseTurn(turn: string, holder: string): Promise<void>;
}
