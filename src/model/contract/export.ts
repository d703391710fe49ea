import { z } from 'zod';
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

/** Listed in full at get_scan_results; every conversation pays for each word here. */
const asThere = 'As a filter.';

export const ExportInput = ScanIdInput.extend({
  format: ExportFormat.describe('html and markdown: for people; native: the report of the engine.'),
  severity_levels: FindingFilterShape.severity_levels.describe('Filters as in get_scan_results.'),
  min_severity: FindingFilterShape.min_severity.describe(asThere),
  min_cvss: FindingFilterShape.min_cvss.describe(asThere),
  min_epss: FindingFilterShape.min_epss.describe(asThere),
  kev_only: FindingFilterShape.kev_only.describe(asThere),
  exploit_available: FindingFilterShape.exploit_available.describe(asThere),
  host: FindingFilterShape.host.describe(asThere),
  port: FindingFilterShape.port.describe(asThere),
  cve: FindingFilterShape.cve.describe(asThere),
  rule_id: FindingFilterShape.rule_id.describe(asThere),
  text: FindingFilterShape.text.describe(asThere),
  include_suppressed: FindingFilterShape.include_suppressed.describe('Also what was suppressed.'),
});
export type ExportInput = z.infer<typeof ExportInput>;

/** The longest report that is also a resource, in bytes: as much as a client takes in one message without choking. */
export const MAX_REPORT_RESOURCE = 4 << 20;

/** A file on the disk of this server. */
export const ExportedFile = z.strictObject({
  summary: z.string(),
  resource_uri: z.string().optional().describe('The same, to read: unfiltered, up to 4 MiB.'),
  path: z.string(),
  media_type: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  findings: z.int().optional(),
});
export type ExportedFile = z.infer<typeof ExportedFile>;

/** Who shares no disk with the server gets a link instead of a path. */
export const ExportAnswer = z.strictObject({
  ...ExportedFile.shape,
  path: z.string().optional(),
  download_url: z.string().optional().describe('Over HTTP instead of path: good for five minutes, needs no key.'),
});
export type ExportAnswer = z.infer<typeof ExportAnswer>;
