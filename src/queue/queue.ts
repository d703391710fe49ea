import type { ScannerHealth } from '../model/capability.ts';
import type { WorkerFacts } from './operations.ts';
import type { Progress, ScanError, ScanRecord, ScanRequest, ScanResult, ScanState } from '../model/scan.ts';

/** A scan to accept. */
export interface NewScan {
  readonly scanId: string;
  readonly tenant: string;
  readonly traceId: string;
  readonly name?: string;
  readonly description?: string;
  readonly idempotencyKey?: string;
  readonly request: ScanRequest;
  readonly requestHash: string;
  readonly engine: string;
}

/** A report that was made elsewhere, as a scan that has ended. Its files are in place when it is recorded. */
export interface NewImport extends Pick<NewScan, 'scanId' | 'tenant' | 'traceId' | 'name' | 'request' | 'engine'> {
  /** Names the report: equal bytes, read as the same format, have an equal one. */
  readonly requestHash: string;
  readonly result: ScanResult;
  /** When the scan that the report tells of began, as far as it says. Epoch milliseconds. */
  readonly startedAt?: number;
  /** When that scan ended, or else the time of the import. */
  readonly finishedAt: number;
}

export interface Imported {
  readonly scan: ScanRecord;
  /** The same report was imported a short while ago: that scan is the answer, and nothing was recorded. */
  readonly deduplicated: boolean;
}

export interface Submitted {
  readonly scan: ScanRecord;
  /** The scan already held the key, or (only without a key) is the live twin of the same request. */
  readonly deduplicated: false | 'idempotency_key' | 'live_twin';
}

/** An instance that could take a scan now: enabled, healthy, its circuit closed. Order is that of the config file. */
export interface Slot {
  readonly pool: string;
  readonly instance: string;
  readonly limit: number;
}

/** Proof that one worker owns one attempt. Every write of the attempt carries it. */
export interface Claim {
  readonly scan: ScanRecord;
  readonly epoch: number;
  readonly instance: string;
  /** The last checkpoint of an attempt whose worker was lost; undefined on a first run and after a clean retry. */
  readonly checkpoint: StoredCheckpoint | undefined;
}

/** What an engine checkpointed (see scanners/scanner.ts `Checkpoint`), with the instance it was made on. */
export interface StoredCheckpoint {
  readonly phase: 'intent' | 'launched';
  readonly reference?: string;
  readonly instance: string;
  readonly epoch: number;
  /** Epoch of the attempt that began to read the report. */
  readonly readIn?: number;
}

/** How an attempt ends. `retry` queues another one after `delayMs`; `released` gives it back untouched (shutdown). */
export type Outcome =
  | { readonly kind: 'completed'; readonly result: ScanResult }
  | {
      readonly kind: 'failed' | 'timed_out';
      readonly error: ScanError;
      /** What was found before; absent when there is nothing. */
      readonly result?: ScanResult;
    }
  | { readonly kind: 'cancelled'; readonly result?: ScanResult }
  | {
      readonly kind: 'retry';
      readonly error: ScanError;
      readonly delayMs: number;
      /** What was started outside is not done anew: the next attempt gets its checkpoint. Else there is nothing outside. */
      readonly keepsRun?: boolean;
    }
  | { readonly kind: 'released' };

/** One entry of a scan's append-only log. `seq` starts at 1 and has no gaps. */
export interface ScanEvent {
  readonly scanId: string;
  readonly seq: number;
  readonly at: number;
  readonly state: ScanState;
  readonly progress?: Progress;
}

export interface ListFilter {
  readonly state?: ScanState;
  readonly pool?: string;
  readonly projectId?: string;
  readonly createdAfter?: number;
  readonly createdBefore?: number;
  /** Keeps scans one of whose canonical target texts it accepts. */
  readonly matchesTargets?: (targets: readonly string[]) => boolean;
  /** Names what `matchesTargets` looks for, so that a cursor can be bound to it. */
  readonly targetKey?: string;
  readonly limit: number;
  /** Opaque; bound to the filter. @throws AppError cursor_invalid */
  readonly cursor?: string;
}

export interface ListPage {
  readonly scans: readonly ScanRecord[];
  readonly nextCursor?: string;
  /** Of all that match, not only this page. */
  readonly total: number;
  /** How many of this page only a newer program can read; they are left out of `scans`. */
  readonly unreadable: number;
}

export interface PoolStatus {
  readonly pool: string;
  readonly queued: number;
  readonly retrying: number;
  readonly running: number;
  readonly deadLetters: number;
  readonly oldestQueuedMs?: number;
}

export interface QueueStatus {
  readonly pools: readonly PoolStatus[];
  /** Live workers. */
  readonly workers: number;
  readonly backend: 'sqlite' | 'redis';
  /** The next few of the tenant's own waiting scans, in the order they will be claimed. */
  readonly next: readonly { readonly scanId: string; readonly pool: string; readonly priority: number }[];
}

/** Health as a worker knows it; `circuit` is `closed`, `open` or `half_open`. */
export type PublishedHealth = ScannerHealth & { readonly circuit?: string };

export interface InstanceState {
  readonly pool: string;
  readonly instance: string;
  readonly health: PublishedHealth;
  readonly checkedAt: number;
}

/** Who could start a scan. */
export interface Readiness {
  /** A worker that died in the last quarter of a second may still count. */
  readonly hasWorker: boolean;
  /** Pools that live workers serve (`worker --pools`); undefined: all. */
  readonly served?: ReadonlySet<string> | undefined;
  readonly instances: readonly InstanceState[];
}

export type CancelEffect = 'removed' | 'signalled' | 'already_final';

/**
 * The durable queue and the scan records. The promises are those of docs/architecture.md ("What the queue promises");
 * every adapter passes test/contracts/queue-contract.ts.
 *
 * All methods: @throws AppError queue_unavailable (in bounded time, never a hang), storage_full.
 */
export interface ScanQueue {
  /**
   * Accepts a scan, or returns the one that holds the key or is its live twin, in one atomic step. Durable once it
   * resolves. @throws AppError idempotency_conflict when the key belongs to another request hash.
   */
  submit(scan: NewScan): Promise<Submitted>;
  /** What `submit` would return without making anything; undefined when it would make a new scan. */
  wouldDeduplicateTo(scan: Pick<NewScan, 'tenant' | 'idempotencyKey' | 'requestHash'>): Promise<ScanRecord | undefined>;

  /**
   * Records a report as a completed scan with epoch 1 and origin `imported`, which no worker ever sees; or returns the
   * one that was recorded of the same report within the lifetime of an idempotency key. One atomic step, durable once it
   * resolves.
   */
  recordImport(scan: NewImport): Promise<Imported>;
  /** The scan `recordImport` would return instead of a new one. */
  recentImport(tenant: string, requestHash: string): Promise<ScanRecord | undefined>;

  /**
   * Another tenant's scan is undefined, like one that never was.
   * @throws AppError data_too_new when only a newer program can read it
   */
  get(tenant: string, scanId: string): Promise<ScanRecord | undefined>;
  list(tenant: string, filter: ListFilter): Promise<ListPage>;
  /** Events after `afterSeq`, oldest first, at most `limit` (1000). */
  events(tenant: string, scanId: string, afterSeq: number, limit?: number): Promise<readonly ScanEvent[]>;
  /** Resolves true when any event of the scan after `afterSeq` exists, false when `signal` aborts. Never throws on abort. */
  waitForEvent(tenant: string, scanId: string, afterSeq: number, signal: AbortSignal): Promise<boolean>;
  status(tenant: string, pool?: string): Promise<QueueStatus>;
  /** What every status of a waiting scan needs; cheap. */
  readiness(): Promise<Readiness>;
  /**
   * Milliseconds until the scan at `position` of a pool would start, from measured durations and the slots there are;
   * undefined when nothing was measured yet or there is no slot.
   */
  expectedWaitMs(pool: string, position: number, slots: number): Promise<number | undefined>;
  /** Median duration of the pool's last finished scans, in milliseconds; undefined before the first. */
  expectedDurationMs(pool: string): Promise<number | undefined>;

  /**
   * Ends a waiting scan at once (`removed`), tells the worker of a running one (`signalled`; the scan stays `running`
   * with phase `cancelling` until the engine has stopped), or does nothing (`already_final`).
   * @throws AppError scan_not_found
   */
  cancel(tenant: string, scanId: string, reason?: string): Promise<{ effect: CancelEffect; scan: ScanRecord }>;
  deadLetters(tenant: string, limit: number): Promise<readonly ScanRecord[]>;
  /**
   * Back to `queued` with a fresh attempt count. What an attempt that nobody could end left at its scanner is adopted by
   * the next claim. @throws AppError scan_not_found, invalid_request when it is no dead letter */
  retryDeadLetter(tenant: string, scanId: string): Promise<ScanRecord>;
  /** Removes dead letters that ended before `before` (epoch milliseconds); returns their ids. */
  purgeDeadLetters(tenant: string, before: number): Promise<readonly string[]>;

  /**
   * Takes the next scan for which one of the slots is free: priority, then fair share of tenants, then age; the
   * instance by rotation over those with a free slot (the one that waited longest since its last scan; ties in the
   * order given). Due retries are queued and lost leases returned to `queued` first. Undefined when nothing can start;
   * then scans that waited too long are failed. Time that the wall clock left out in a leap is not waited.
   */
  claim(workerId: string, slots: readonly Slot[]): Promise<Claim | undefined>;
  /**
   * Keeps the lease. `owned: false`: it has passed to another, stop at once and write nothing. `cancel`: a caller wants
   * the scan ended.
   */
  renew(claim: Claim): Promise<{ owned: boolean; cancel: boolean }>;
  /** Durable before it resolves true. False when the lease is lost; so for the next two. */
  checkpoint(claim: Claim, checkpoint: { phase: 'intent' | 'launched'; reference?: string }): Promise<boolean>;
  /**
   * Before the worker reads what the scanner found. A scan that goes on at its scanner (checkpoint `launched`) is not
   * used up by workers that die meanwhile, as long as its time limit is not reached; from this call to the end of the
   * attempt it is, because its report may be what kills them. False when the lease is lost.
   */
  reading(claim: Claim): Promise<boolean>;
  progress(claim: Claim, progress: Progress, externalScanId?: string): Promise<boolean>;
  /** The fenced write that makes a result visible. */
  finish(claim: Claim, outcome: Outcome): Promise<boolean>;
  /** Announces a worker and keeps it counted; its claims live exactly as long as it does. `facts` are shown to operators. */
  heartbeat(workerId: string, facts?: WorkerFacts): Promise<void>;
  /** Takes a worker off the list. Its claims must have been finished or released. */
  retire(workerId: string): Promise<void>;
  /** Resolves true when there may be work or a cancel for a worker, false when `signal` aborts or `timeoutMs` is over. */
  waitForWork(signal: AbortSignal, timeoutMs: number): Promise<boolean>;
  /** Milliseconds until the next retry is due; undefined when no scan waits for one. */
  nextRetryInMs(): Promise<number | undefined>;
  /** Scans of every tenant that are not final, for the worker's decision to go. */
  liveCount(): Promise<number>;

  /** What workers know of an instance, for every process to show. */
  putInstanceHealth(pool: string, instance: string, health: PublishedHealth): Promise<void>;
  instanceStates(): Promise<readonly InstanceState[]>;
  /** Scans running on each instance now, over all workers. */
  activeByInstance(): Promise<ReadonlyMap<string, number>>;
  /** Artefact folders a sweep must keep: scan id and epoch of every visible result and running attempt. */
  referencedAttempts(scanIds: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<number>>>;

  close(): Promise<void>;
}

/** Key of `activeByInstance`. */
export const instanceKey = (pool: string, instance: string): string => `${pool}/${instance}`;

/** Whether a live worker would take scans of the pool. */
export const servesPool = ({ hasWorker, served }: Pick<Readiness, 'hasWorker' | 'served'>, pool: string): boolean =>
  hasWorker && (served?.has(pool) ?? true);
