import { z } from 'zod';
import { Verdict } from '../coverage.ts';
import { BySeverity } from '../finding.ts';
import { Intensity, ScanOrigin, ScanState } from '../scan.ts';

export const IsoTime = z.iso
  .datetime({ offset: true, error: 'must look like 2026-01-31T08:00:00Z' })
  .meta({ description: 'ISO 8601 with zone.', examples: ['2026-01-31T08:00:00Z'] });

export const ListScansInput = z.strictObject({
  state: ScanState.optional().describe('Only scans in this state.'),
  target: z.string().min(1).max(2_000).optional().describe('IP, CIDR, host or URL; scans that overlap it.'),
  scanner_pool: z.string().max(64).optional().describe('Only scans of this pool.'),
  project_id: z.string().max(100).optional().describe('Only scans that were given this project_id.'),
  created_after: IsoTime.optional(),
  created_before: IsoTime.optional(),
  limit: z.int().min(1).max(100).default(20).describe('Scans per page.'),
  cursor: z.string().max(2_000).optional().describe('next_cursor of the page before, same filters.'),
});
export type ListScansInput = z.infer<typeof ListScansInput>;

export const ScanList = z.strictObject({
  summary: z.string(),
  scans: z.array(
    z.strictObject({
      scan_id: z.string(),
      name: z.string().optional(),
      state: ScanState,
      origin: ScanOrigin.optional(),
      verdict: Verdict.optional(),
      targets: z.array(z.string()),
      targets_omitted: z.int().optional().describe('More; get_scan_status has all.'),
      engine: z.string(),
      by_severity: BySeverity.optional().describe('All findings, suppressed ones too.'),
      created_at: z.string(),
      finished_at: z.string().optional(),
    }),
  ),
  next_cursor: z.string().optional(),
  total: z.int().describe('All that match, not only this page.'),
});
export type ScanList = z.infer<typeof ScanList>;

export const ListScannersInput = z.strictObject({
  scanner_pool: z.string().max(64).optional().describe('Only this pool.'),
  remote_scans: z.boolean().default(false).describe('Also list scans in folders the operator opened.'),
});
export type ListScannersInput = z.input<typeof ListScannersInput>;

export const ScannerList = z.strictObject({
  summary: z.string(),
  pools: z.array(
    z.strictObject({
      pool: z.string(),
      engine: z.string(),
      looks_for: z.array(z.string()),
      target_kinds: z.array(z.string()),
      authenticated: z.boolean(),
      intensities: z.array(Intensity),
      options: z.array(z.string()),
      capacity: z.int().describe('Scans at once over the enabled instances.'),
      active: z.int(),
      queued: z.int(),
      instances: z.array(
        z.strictObject({
          instance_id: z.string(),
          name: z.string(),
          enabled: z.boolean(),
          health: z.string().describe('healthy, degraded, unhealthy or circuit_open.'),
          why: z.string().optional(),
          version: z.string().optional(),
          can_launch: z.boolean(),
          active: z.int(),
          max_concurrent_scans: z.int(),
        }),
      ),
    }),
  ),
  credential_refs: z.array(z.strictObject({ ref: z.string(), kind: z.string(), description: z.string() })),
  remote_scans: z
    .array(
      z.strictObject({
        pool: z.string(),
        instance_id: z.string(),
        scans: z.array(
          z.strictObject({
            source: z.string(),
            name: z.string(),
            folder: z.string(),
            status: z.string(),
            modified_at: z.string().optional(),
          }),
        ),
        total: z.int(),
        error: z.string().optional(),
      }),
    )
    .optional()
    .describe('Newest first; source is for import_report.'),
  default_pool: z.string(),
  config: z.strictObject({ loaded_at: z.string(), last_error: z.string().optional() }),
});
export type ScannerList = z.infer<typeof ScannerList>;

export const QueueStatusInput = z.strictObject({
  scanner_pool: z.string().max(64).optional().describe('Only this pool.'),
});
export type QueueStatusInput = z.infer<typeof QueueStatusInput>;

export const QueueReport = z.strictObject({
  summary: z.string(),
  pools: z.array(
    z.strictObject({
      pool: z.string(),
      queued: z.int(),
      retrying: z.int(),
      running: z.int(),
      dead_letters: z.int(),
      oldest_queued_seconds: z.number().optional(),
      expected_wait_seconds: z
        .number()
        .optional()
        .describe('For a scan submitted now; absent before the first measured scan.'),
    }),
  ),
  workers: z.int(),
  live_workers: z.array(
    z.strictObject({
      host: z.string().optional(),
      version: z.string(),
      pools: z.array(z.string()).optional(),
      concurrency: z.int(),
      running: z.int().optional(),
      beat_seconds_ago: z.number(),
      draining: z.boolean(),
    }),
  ),
  backend: z.string(),
  next: z.array(z.strictObject({ scan_id: z.string(), scanner_pool: z.string(), priority: z.int() })),
});
export type QueueReport = z.infer<typeof QueueReport>;
