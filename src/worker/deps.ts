import type { NewAuditEntry } from '../audit/entry.ts';
import type { Credentials } from '../credentials/credentials.ts';
import type { FindingsStore } from '../findings/findings.ts';
import type { ScanFiles } from '../findings/artefacts.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Policy } from '../policy/policy.ts';
import type { WorkerFacts } from '../queue/operations.ts';
import type { ScanQueue } from '../queue/queue.ts';
import type { Registry } from '../registry/registry.ts';
import type { RetrySettings } from './retry.ts';

export interface WorkerSettings {
  /** Pools whose scans it takes; undefined: all. */
  readonly pools?: readonly string[];
  readonly maxConcurrentScans: number;
  /** A worker with nothing to do goes after this long; undefined: it stays. */
  readonly idleExitMs?: number;
  /** After SIGTERM, how long running scans may go on before they are handed back. */
  readonly graceMs: number;
  /** How long an engine may take to stop once told to. */
  readonly hardStopMs: number;
  readonly heartbeatMs: number;
  readonly maxRawReportBytes: number;
  /** Length of a minute of `max_duration_minutes`, in milliseconds: shorter in tests. */
  readonly minuteMs: number;
  readonly retry: RetrySettings;
  /** How long the artefact store may be away before an attempt is given up; absent: ten minutes. */
  readonly sharePatienceMs?: number;
}

export interface WorkerDeps {
  /** Durable before it resolves. */
  readonly audit: (entry: NewAuditEntry) => Promise<void>;
  readonly queue: ScanQueue;
  readonly registry: Registry;
  readonly policy: Policy;
  readonly credentials: Credentials;
  readonly findings: FindingsStore;
  readonly files: ScanFiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly settings: WorkerSettings;
  /** Enters finished scans into the index of what was looked at; who asks later does it, too. */
  readonly indexScans?: (tenant: string) => Promise<unknown>;
  /** Identity of this worker process; its claims live as long as it does. */
  readonly workerId: string;
  /** What others are shown of this process. */
  readonly process: Pick<WorkerFacts, 'version' | 'host' | 'pid' | 'startedAt'>;
  /** No other worker shares its queue: whatever runs for one of its scans when it starts is nobody's. */
  readonly isAlone: boolean;
  /** Removes what is to go by age or number, when it is this process' turn. Never throws. */
  readonly keepHouse?: () => Promise<void>;
}
