import type { Readable, Writable } from 'node:stream';
import type { z } from 'zod';
import type { EngineCapabilities, ScannerHealth } from '../model/capability.ts';
import type { Credential } from '../model/credential.ts';
import type { ReportEvent } from '../model/report.ts';
import type { AppError } from '../model/errors.ts';
import type { ScanRequest } from '../model/scan.ts';
import type { PinnedTarget } from '../model/target.ts';

/** One attempt, as the engine sees it. */
export interface ScanJob {
  readonly scanId: string;
  readonly traceId: string;
  readonly epoch: number;
  readonly request: ScanRequest;
  readonly targets: readonly PinnedTarget[];
}

/**
 * What an attempt has done outside this process. `intent` is written before anything is started, so that whoever comes
 * next knows to look for it, and holds the marker to look for; `launched` once it runs. Its `reference` is the engine's
 * own (a remote scan id, or a process identity).
 */
export interface Checkpoint {
  readonly phase: 'intent' | 'launched';
  readonly reference?: string;
}

/** What an engine knows of its progress. The worker adds time stamps, keeps it monotone and writes it now and then. */
export interface EngineProgress {
  readonly percent: number;
  readonly phase: string;
  readonly hostsDone?: number;
  readonly findingsSoFar?: number;
  readonly estimated: boolean;
  /** Id of the scan at an engine outside this process, for people. */
  readonly remoteId?: string;
}

export interface RunContext {
  /** Aborted on cancel, time limit, lost lease and shutdown. The engine ends what it started, then returns or throws. */
  readonly signal: AbortSignal;
  /**
   * Where the raw report goes while it is produced, so that a kill keeps what was written. The worker masks, caps,
   * hashes and stores it. The engine must respect back-pressure and end it.
   */
  readonly report: Writable;
  /** The last checkpoint of an earlier attempt whose worker died, if any. */
  readonly previous: Checkpoint | undefined;
  /** What the scan logs in with; undefined for untrusted scans. Only while the run lasts, and never written anywhere. */
  readonly credential?: Credential;
  /** Durable before it resolves. @throws AppError scan_aborted when the lease is lost: stop at once, start nothing. */
  checkpoint(checkpoint: Checkpoint): Promise<void>;
  progress(progress: EngineProgress): void;
}

/** How a run ended, when it ended by itself. */
export interface RawReport {
  /** False when something was not done (a time limit inside the engine, a host skipped): the verdict is at best partial. */
  readonly whole: boolean;
  readonly reason?: string;
  /** What an operator should remove at the engine because it could not be removed by us (a login); for people. */
  readonly leftBehind?: string;
}

/** A scan that somebody else launched at an engine. Times are epoch milliseconds. */
export interface RemoteScan {
  /** The engine's own id. */
  readonly remoteId: string;
  readonly name: string;
  readonly folder: string;
  /** The engine's own word. */
  readonly status: string;
  readonly modifiedAt?: number;
  /** False: it was never run or has not ended, so there is nothing to import yet. */
  readonly hasReport?: boolean;
}

export interface RemoteListing {
  readonly scans: readonly RemoteScan[];
  /** Why scans may be missing from the list: a folder of the settings that is not there. */
  readonly trouble?: AppError;
}

/** What an engine lets us read of scans that an operator launched there by hand, in folders the operator opened. */
export interface RemoteReports {
  /** @throws AppError config_invalid (no folder is opened), scanner_unreachable, scanner_login_failed */
  list(signal: AbortSignal): Promise<RemoteListing>;
  /**
   * Writes the report of one scan to `report` and ends it. A scan outside the opened folders is as unknown as none.
   * @throws AppError scan_not_found, config_invalid (the folders of the settings are not there), scan_not_finished (nothing to export yet), scanner_unreachable, storage_full
   */
  fetch(remoteId: string, report: Writable, signal: AbortSignal): Promise<RawReport>;
}

/** One configured engine. Contract: test/contracts/scanner-contract.ts. */
export interface Scanner {
  /** Never throws for an engine that is merely away: that is a health. @throws only when `signal` aborts. */
  probe(signal: AbortSignal): Promise<ScannerHealth>;
  /**
   * Runs one attempt to its end and writes the raw report to `ctx.report`. With a `ctx.previous` it is also called when
   * `ctx.signal` has aborted already (`job.targets` may then be empty): to end what the earlier attempt left running.
   * @throws AppError scanner_unreachable, scan_aborted, ...: the code decides whether it is retried.
   * @throws whatever `signal.reason` is, once everything it started has really ended.
   */
  run(job: ScanJob, ctx: RunContext): Promise<RawReport>;
  /**
   * Pure: a report made elsewhere parses alike.
   * @param asked What is known of the scan besides. `login`: it was to log in, so a report that shows none shows a failure.
   * @throws AppError report_unreadable naming line or byte.
   */
  parse(report: Readable, asked?: { readonly login?: boolean }): AsyncIterable<ReportEvent>;
  /**
   * The scans of others as far as they are open to a tenant. Absent where they cannot be read; undefined where nothing is
   * open to the tenant, which then learns of none.
   */
  readonly remote?: (tenant: string) => RemoteReports | undefined;
  /**
   * What is due beside the scans, such as deleting old ones of our own. Only workers call it: at their start and every
   * minute or so; how often something is done is the engine's to decide. Never throws for an engine that is away.
   */
  upkeep?(): Promise<void>;
  /** Lets connections and sessions go when a reload takes the instance away and its last run has ended. */
  close?(): Promise<void>;
}

/** An engine as `scanners.yaml` names it by `type`. Adding one: docs/adding-a-scanner.md. */
export interface ScannerType<Settings = unknown> {
  readonly capabilities: EngineCapabilities;
  /** Schema of its keys in an instance of `scanners.yaml`, without the keys all instances have. */
  readonly settings: z.ZodType<Settings>;
  /**
   * Refuses what a run would refuse, so that a caller hears of it before the scan is queued. Pure.
   * @throws AppError invalid_request, option_unsupported
   */
  readonly check?: (request: ScanRequest) => void;
  create(settings: Settings): Scanner;
}
