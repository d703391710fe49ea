import type { NewAuditEntry } from '../audit/entry.ts';
import type { Caller } from '../model/caller.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { FindingsStore } from '../findings/findings.ts';
import type { ScanFiles } from '../findings/artefacts.ts';
import type { Credentials } from '../credentials/credentials.ts';
import type { Policy } from '../policy/policy.ts';
import type { QueueOperations } from '../queue/operations.ts';
import type { ScanQueue } from '../queue/queue.ts';
import type { SuppressionList } from '../queue/suppressions.ts';
import type { Registry } from '../registry/registry.ts';
import type { ReportFormat } from '../scanners/report-format.ts';
import type { Quotas } from '../queue/quotas.ts';
import type { ScanIndex } from '../queue/scan-index.ts';
import type { Catalogues } from './known-checks.ts';
import type { IndexScans } from './index-scans.ts';

/** Durable before it resolves: nothing is done that was not written down. @throws AppError storage_full, storage_unusable */
export type Audit = (entry: NewAuditEntry) => Promise<void>;

export interface ImportFolder {
  readonly path: string;
  /** Without it, those of `local`. */
  readonly tenants?: readonly string[] | undefined;
}

/** What one tenant may use up; 0 is no limit. */
export interface TenantLimits {
  readonly activeScans: number;
  readonly hostsPerDay: number;
}

/** Makes sure somebody will run what was queued. Never throws; trouble is logged and seen as `waiting_for: worker`. */
export type WakeWorker = () => void;

/** What the use cases stand on. Each takes the few it needs. */
export interface ScanDeps {
  readonly queue: ScanQueue;
  readonly operations: QueueOperations;
  readonly suppressions: SuppressionList;
  readonly registry: Registry;
  readonly policy: Policy;
  readonly credentials: Credentials;
  readonly findings: FindingsStore;
  readonly files: ScanFiles;
  /** Kinds of report that can be imported. */
  readonly formats: readonly ReportFormat[];
  /** Folders agents may import from, absolute, and whose agents. */
  readonly importFolders: readonly ImportFolder[];
  readonly maxReportBytes: number;
  readonly quotas: Quotas;
  readonly limits: TenantLimits;
  /** Tenants whose admins run the service. */
  readonly operatorTenants: readonly string[];
  readonly audit: Audit;
  readonly wakeWorker: WakeWorker;
  /** Whether that starts a worker where none runs. */
  readonly startsWorkers: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly index: ScanIndex;
  readonly indexScans: IndexScans;
  /** What engines look for, whether it was ever found or not. */
  readonly catalogues: Catalogues;
}

/** Who asks, and under which trace. */
export interface Ask {
  readonly caller: Caller;
  readonly traceId: string;
  readonly signal: AbortSignal;
  /** Aborts when whoever would carry the answer has to go soon: waits end then, work that was begun does not. */
  readonly closing?: AbortSignal;
}
