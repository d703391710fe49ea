import { z } from 'zod';
import { FindingFilterShape } from './finding-filter.ts';
import { IsoTime } from './lists.ts';

const ScanId = z.string().min(1).max(100);

export const CompareInput = z.strictObject({
  head_scan_id: ScanId.describe('The later scan.'),
  base_scan_id: ScanId.optional().describe('Default: the newest before it of the same targets, engine and access.'),
  base_before: IsoTime.optional().describe('Choose one that finished before this time.'),
  ...FindingFilterShape,
  max_tokens: z.int().min(500).max(20_000).default(4_000).describe('Bounds the size of the page.'),
  cursor: z.string().max(4_000).optional().describe('next_cursor of the page before, same arguments.'),
});
export type CompareInput = z.infer<typeof CompareInput>;

/** What became of a finding from the earlier scan to the later one, in the order answers show them. */
export const Change = z.enum(['new', 'newly_visible', 'changed', 'fixed', 'not_observed', 'persisting']);
export type Change = z.infer<typeof Change>;

/** What the other scan lacks to prove that it looked for a finding; from what settles it for a whole scan to the last detail. */
export const Lack = z.enum(['ended', 'scope', 'host', 'login', 'check', 'port', 'page']);
export type Lack = z.infer<typeof Lack>;

export const Comparison = z.strictObject({
  summary: z.string(),
  head_scan_id: z.string(),
  base_scan_id: z.string(),
  compared_by: z.enum(['fingerprint', 'cve']).describe('cve: two engines; nothing is new or fixed.'),
  counts: z.strictObject({
    new: z.int(),
    newly_visible: z.int(),
    fixed: z.int(),
    persisting: z.int(),
    changed: z.int(),
    not_observed: z.int(),
  }),
  suppressed: z.int(),
  not_comparable: z
    .strictObject({ head: z.int(), base: z.int() })
    .optional()
    .describe('Findings without a CVE, when the engines differ.'),
  findings: z
    .array(z.looseObject({ change: Change, changed: z.array(z.string()).optional(), why: Lack.optional() }))
    .describe('As get_scan_results shows them with detail brief. why: what proof lacks.'),
  next_cursor: z.string().optional(),
});
export type Comparison = z.infer<typeof Comparison>;
