import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Coverage, Verdict } from './coverage.ts';
import { BySeverity, Severity } from './finding.ts';
import { LoginProblems } from './login-problem.ts';

export const ScanState = z.enum(['queued', 'running', 'retrying', 'completed', 'failed', 'timed_out', 'cancelled']);
export type ScanState = z.infer<typeof ScanState>;

const FINAL: ReadonlySet<ScanState> = new Set<ScanState>(['completed', 'failed', 'timed_out', 'cancelled']);
export const isFinal = (state: ScanState): boolean => FINAL.has(state);
/** Failed and timed-out scans are dead letters: a retry puts one back to `queued`. */
export const isDeadLetter = (state: ScanState): boolean => state === 'failed' || state === 'timed_out';

/** The state machine of every backend; anything not listed is refused. See docs/scan-states.md. */
export const TRANSITIONS: Readonly<Record<ScanState, readonly ScanState[]>> = {
  queued: ['running', 'cancelled', 'failed'],
  running: ['completed', 'failed', 'timed_out', 'cancelled', 'retrying', 'queued'],
  retrying: ['queued', 'cancelled', 'failed'],
  completed: [],
  failed: ['queued'],
  timed_out: ['queued'],
  cancelled: [],
};

/** How hard a scan may hit: `light` and `standard` never harm on purpose, `intrusive` may. */
export const Intensity = z.enum(['light', 'standard', 'intrusive']);
export type Intensity = z.infer<typeof Intensity>;
export const intensityRank = (intensity: Intensity): number => Intensity.options.indexOf(intensity);

/** `run`: scanmux started it. `imported`: the report was made elsewhere. */
export const ScanOrigin = z.enum(['run', 'imported']);
export type ScanOrigin = z.infer<typeof ScanOrigin>;

/** What is asked of an engine: canonical, with every default filled in. Hashed for idempotency; holds no secret. */
export const ScanRequest = z.strictObject({
  access: z.enum(['untrusted', 'authenticated']),
  /** Canonical target texts, sorted, without repeats. */
  targets: z.array(z.string()).min(1),
  pool: z.string(),
  /** Only when the caller pinned one. */
  pinned_instance: z.string().optional(),
  intensity: Intensity,
  ports: z.string().optional(),
  templates: z.array(z.string()).optional(),
  severity_levels: z.array(Severity).optional(),
  credential_ref: z.string().optional(),
  privilege: z.enum(['user', 'elevated']).optional(),
  priority: z.int().min(1).max(10),
  project_id: z.string().optional(),
  max_duration_minutes: z.int().min(1),
});
export type ScanRequest = z.infer<typeof ScanRequest>;

/** SHA-256 (hex) of the request with its keys sorted: equal requests hash equal, whatever order they were written in. */
export function requestHash(request: ScanRequest): string {
  const sorted = Object.entries(request)
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}

export const Progress = z.strictObject({
  percent: z.number().min(0).max(100),
  phase: z.string().describe('What the engine is doing, in our words; `cancelling` while a cancel takes effect.'),
  hosts_done: z.int().min(0),
  hosts_total: z.int().min(0),
  findings_so_far: z.int().min(0),
  estimated: z.boolean().describe('True when the engine gives no exact progress.'),
  updated_at: z.string().describe('ISO 8601, UTC.'),
});
export type Progress = z.infer<typeof Progress>;

/** A file of a scan, relative to the scan's folder. */
export const Artefact = z.strictObject({
  kind: z.enum(['raw_report', 'findings']),
  path: z.string(),
  bytes: z.int().min(0),
  sha256: z.string(),
});
export type Artefact = z.infer<typeof Artefact>;

export const ScanError = z.strictObject({
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  retryable: z.boolean(),
});
export type ScanError = z.infer<typeof ScanError>;

/** Counts of hosts by login outcome. */
export const Authentication = z.strictObject({ success: z.int(), partial: z.int(), failed: z.int() });
export type Authentication = z.infer<typeof Authentication>;

/** What a finished attempt leaves behind. */
export const ScanResult = z.strictObject({
  verdict: Verdict,
  coverage: Coverage,
  findings: z.int().min(0),
  by_severity: BySeverity,
  artefacts: z.array(Artefact),
  /** Hosts by how far a login came; absent when none was tried anywhere. */
  authentication: Authentication.optional(),
  login_problems: LoginProblems.optional(),
  /** What an operator should remove at the scanner (a login that could not be taken back). */
  left_behind: z.string().optional(),
  /** False when the engine or its report was cut short; absent in records of scans from before this was noted. */
  ended_whole: z.boolean().optional(),
});
export type ScanResult = z.infer<typeof ScanResult>;

/** The record of one scan. Times are epoch milliseconds, UTC. */
export interface ScanRecord {
  readonly scanId: string;
  readonly tenant: string;
  readonly traceId: string;
  readonly name?: string;
  readonly description?: string;
  readonly idempotencyKey?: string;
  readonly request: ScanRequest;
  readonly requestHash: string;
  readonly engine: string;
  readonly origin: ScanOrigin;
  readonly state: ScanState;
  /** Rises with every claim; a write of an older epoch is refused. */
  readonly epoch: number;
  /** 1 during the first run. A retry of a dead letter starts again at 0. */
  readonly attempt: number;
  /** Set while running, and kept afterwards: the instance of the last claim. */
  readonly instance?: string;
  readonly externalScanId?: string;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** When a retrying scan is queued again. */
  readonly retryAt?: number;
  readonly cancelRequested: boolean;
  readonly progress?: Progress;
  readonly result?: ScanResult;
  readonly error?: ScanError;
  /** 1 = next of its pool; only while queued. */
  readonly position?: number;
}
