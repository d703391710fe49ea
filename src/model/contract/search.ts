import { z } from 'zod';
import { FindingFilterShape } from './finding-filter.ts';
import { lineText } from '../untrusted.ts';
import { IsoTime } from './lists.ts';

export const SearchInput = z.strictObject({
  ...FindingFilterShape,
  target: z.string().min(1).max(2_000).optional().describe('Only at this IP, CIDR, host or URL.'),
  finished_after: IsoTime.optional().describe('Only in scans that finished later.'),
  latest_only: z.boolean().default(true).describe('Only the newest scan of each engine that looked at a place.'),
  max_tokens: z.int().min(500).max(20_000).default(4_000).describe('Bounds the size of the page.'),
  cursor: z.string().max(4_000).optional().describe('next_cursor of the page before, same arguments.'),
});
export type SearchInput = z.infer<typeof SearchInput>;

export const FoundAnswer = z.enum(['found', 'not_found', 'cannot_tell']);
export type FoundAnswer = z.infer<typeof FoundAnswer>;

export const Found = z.strictObject({
  summary: z.string(),
  answer: FoundAnswer.describe('not_found: every host in question ran a check for it, and none found it.'),
  hosts: z.strictObject({
    searched: z.int().describe('Hosts in question that a searched scan looked at.'),
    could_detect: z.int().describe('Of these, where a check for it provably ran.'),
    by_name_only: z.array(lineText(253)).optional().describe('Scanned by name, address unknown: ask by name.'),
  }),
  scans: z
    .array(z.strictObject({ scan_id: z.string(), engine: z.string(), finished_at: z.string(), findings: z.int() }))
    .describe('Those with findings first; the first few.'),
  findings: z.array(z.looseObject({ finding_id: z.string() })).describe('As in compare_scans.'),
  did_you_mean: z.array(lineText(120)).optional().describe('Rule ids like the unknown one.'),
  total: z.int().describe('Without suppressed ones: found with total 0 is not clean, see summary.'),
  suppressed: z.int(),
  next_cursor: z.string().optional(),
});
export type Found = z.infer<typeof Found>;
