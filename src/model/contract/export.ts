import { z } from 'zod';
import { Verdict } from '../coverage.ts';
import { FindingFilterShape } from './finding-filter.ts';
import { ScanIdInput } from './status.ts';

export const ExportFormat = z.enum([
  'sarif',
  'json',
  'jsonl',
  'csv',
  'markdown',
  'html',
  'openvex',
  'cyclonedx_vex',
  'native',
]);
export type ExportFormat = z.infer<typeof ExportFormat>;

export const ExportInput = ScanIdInput.extend({
  format: ExportFormat.describe('html and markdown are for people; native is the report of the engine itself.'),
  ...FindingFilterShape,
  include_suppressed: FindingFilterShape.include_suppressed.describe('Also export findings that were suppressed.'),
});
export type ExportInput = z.infer<typeof ExportInput>;

export const ExportAnswer = z.strictObject({
  summary: z.string(),
  scan_id: z.string(),
  verdict: Verdict,
  resource_uri: z.string(),
  path: z.string(),
  media_type: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  findings: z.int().optional().describe('In the file; absent for native.'),
});
export type ExportAnswer = z.infer<typeof ExportAnswer>;
