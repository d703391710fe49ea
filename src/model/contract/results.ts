import { z } from 'zod';
import { Coverage, Verdict } from '../coverage.ts';
import { BySeverity, Cvss, Location, Severity, Untrusted } from '../finding.ts';
import { ScanError, ScanState } from '../scan.ts';
import { FindingFilterShape } from './finding-filter.ts';
import { ScanIdInput, UntestedPlaces } from './status.ts';

export const ResultsInput = ScanIdInput.extend({
  ...FindingFilterShape,
  group_by: z
    .enum(['none', 'host', 'rule', 'cve', 'severity', 'solution'])
    .default('none')
    .describe('Count findings by this instead of listing them; the cheapest look at a large scan.'),
  detail: z
    .enum(['minimal', 'brief', 'summary', 'full'])
    .default('summary')
    .describe(
      'minimal: id, title, severity, place, report_state; brief: also rule, scores, CVEs; summary: also what it means and the fix; full: all.',
    ),
  fields: z.array(z.string().min(1).max(40)).max(40).optional().describe('Only these keys of each finding.'),
  sort: z
    .enum(['urgency', 'severity', 'host', 'cvss', 'epss', 'count'])
    .default('urgency')
    .describe('Order; urgency puts what is exploited and severe first; count puts the largest groups first.'),
  max_tokens: z.int().min(500).max(20_000).default(4_000).describe('Bounds the size of the page.'),
  cursor: z.string().max(4_000).optional().describe('next_cursor of the page before, same filters.'),
});
export type ResultsInput = z.infer<typeof ResultsInput>;

/** A finding as an answer shows it; which keys are there depends on `detail` and `fields`. */
export const ShownFinding = z.strictObject({
  finding_id: z.string().optional(),
  fingerprint: z.string().optional(),
  engine: z.string().optional(),
  rule_id: z.string().optional(),
  rule_family: z.string().optional(),
  title: z.string().optional(),
  severity: Severity.optional(),
  severity_source: z.string().optional(),
  severity_rated: z.boolean().optional(),
  confidence: z.string().optional(),
  description: z.string().optional(),
  solution: z.string().optional(),
  references: z.array(z.string()).optional(),
  cvss: z.array(Cvss).optional(),
  cvss_score: z.number().optional(),
  cves: z.array(z.string()).optional(),
  cwes: z.array(z.string()).optional(),
  epss: z.number().optional(),
  epss_source: z.string().optional(),
  vpr: z.number().optional(),
  kev: z.boolean().optional(),
  kev_source: z.string().optional(),
  exploit_available: z.boolean().optional(),
  location: Location.optional(),
  place: z.string().optional(),
  discriminator: z.string().optional(),
  compliance: z.string().optional(),
  report_state: z.string().optional(),
  suppression: z.object({ status: z.string(), reason: z.string(), expires_at: z.string() }).optional(),
  untrusted: Untrusted.optional(),
  injection_signals: z.array(z.string()).optional(),
  cut: z.array(z.string()).optional().describe('What was cut, and by how much.'),
});

export const ResultGroup = z.strictObject({
  key: z.string(),
  title: z.string().optional(),
  count: z.int(),
  hosts: z.int(),
  max_severity: Severity,
  max_cvss: z.number().optional(),
  max_epss: z.number().optional(),
  kev: z.boolean(),
  sample_finding_id: z.string(),
  cut: z.array(z.string()).optional(),
});

export const Results = z.strictObject({
  summary: z.string(),
  scan_id: z.string(),
  state: ScanState,
  verdict: Verdict,
  coverage: Coverage,
  untested: UntestedPlaces.optional(),
  error: ScanError.optional(),
  total: z.int().describe('Findings that match the filters, also when they are grouped.'),
  total_unfiltered: z.int(),
  filters_applied: z.array(z.string()),
  suppressed: z.strictObject({ by_severity: BySeverity }),
  findings: z.array(ShownFinding).optional(),
  groups: z.array(ResultGroup).optional(),
  next_cursor: z.string().optional(),
  omitted: z.strictObject({ by_severity: BySeverity }).describe('Matches that come after this page.'),
});
export type Results = z.infer<typeof Results>;

export const FindingInput = z.strictObject({
  finding_id: z.string().min(1).max(100).describe('Id from get_scan_results.'),
  max_tokens: z.int().min(500).max(20_000).default(2_000).describe('Bounds the answer; long texts are cut to fit.'),
});
export type FindingInput = z.infer<typeof FindingInput>;

export const FindingAnswer = z.strictObject({
  summary: z.string(),
  ...ShownFinding.shape,
  finding_id: z.string(),
  scan_id: z.string(),
  verdict: Verdict,
  coverage: Coverage,
  witnesses: z
    .array(z.strictObject({ scan_id: z.string(), engine: z.string(), finding_id: z.string(), severity: z.string() }))
    .optional()
    .describe('The same CVE at the same place, in the newest scans of other engines.'),
  history: z
    .array(z.strictObject({ scan_id: z.string(), finished_at: z.string(), present: z.boolean() }))
    .optional()
    .describe('Earlier scans of its engine that looked there.'),
});
export type FindingAnswer = z.infer<typeof FindingAnswer>;
