import { z } from 'zod';
import { Coverage, Place, Verdict } from '../coverage.ts';
import { BySeverity } from '../finding.ts';
import { Authentication, Progress, ScanError, ScanOrigin, ScanState } from '../scan.ts';

export const ScanIdInput = z.strictObject({
  scan_id: z.string().min(1).max(100).describe('Id from run_untrusted_scan or list_scans.'),
});
export type ScanIdInput = z.infer<typeof ScanIdInput>;

/** What an unfinished scan waits for; `none` while it runs or is over. */
export const WaitingFor = z.enum(['worker', 'slot', 'scanner', 'retry', 'none']);
export type WaitingFor = z.infer<typeof WaitingFor>;

export const ResultCounts = z.strictObject({
  findings: z.int(),
  by_severity: BySeverity,
  suppressed: z.int(),
});

export const Status = z.strictObject({
  summary: z.string(),
  scan_id: z.string(),
  trace_id: z.string(),
  state: ScanState,
  origin: ScanOrigin.optional(),
  waiting_for: WaitingFor,
  progress: Progress.optional(),
  poll_after_seconds: z.int().optional(),
  queue_position: z.int().optional(),
  attempt: z.int(),
  scanner_pool: z.string(),
  scanner_instance: z.string().optional(),
  engine: z.string(),
  external_scan_id: z.string().optional(),
  targets: z.array(z.string()),
  name: z.string().optional(),
  created_at: z.string(),
  started_at: z.string().optional(),
  finished_at: z.string().optional(),
  verdict: Verdict.optional(),
  coverage: Coverage.optional(),
  authentication: Authentication.optional(),
  results: ResultCounts.optional(),
  error: ScanError.optional(),
  troubleshooting: z.array(z.string()).optional(),
});
export type Status = z.infer<typeof Status>;

export const WaitInput = ScanIdInput.extend({
  wait_seconds: z.int().min(1).max(50).default(45).describe('The scan goes on when the time is up.'),
});
export type WaitInput = z.infer<typeof WaitInput>;

/** Unfinished: only these few; finished: the status. */
export const Waited = z.strictObject({
  ...Status.partial().shape,
  summary: z.string(),
  scan_id: z.string(),
  state: ScanState,
  waiting_for: WaitingFor,
  wait_timed_out: z.boolean(),
});
export type Waited = z.infer<typeof Waited>;

export const CancelInput = ScanIdInput.extend({
  reason: z.string().max(500).optional().describe('For the audit log.'),
});
export type CancelInput = z.infer<typeof CancelInput>;

export const Cancelled = z.strictObject({
  summary: z.string(),
  scan_id: z.string(),
  state: ScanState,
  effect: z.enum(['removed', 'signalled', 'already_final']),
});
export type Cancelled = z.infer<typeof Cancelled>;

/** Places that were not fully looked at, first few, with the reason. */
export const UntestedPlaces = z.array(Place).max(20);
