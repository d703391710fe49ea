import { z } from 'zod';
import { SUPPRESSION_STATUSES } from '../suppression.ts';
import { lineText } from '../untrusted.ts';

export const SuppressInput = z.strictObject({
  finding_id: z.string().min(1).max(100).describe('Id from get_scan_results.'),
  status: z.enum([...SUPPRESSION_STATUSES, 'active']).describe('How a person judged it; active takes it back.'),
  reason: lineText(500).min(3).describe('Why, in the words of whoever judged it; kept and shown.'),
  expires_at: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: 'Counts again from then on; default in 90 days.', examples: ['2026-12-31T00:00:00Z'] }),
  scope: z
    .enum(['here', 'everywhere'])
    .default('here')
    .describe('here: this finding at this place, in later scans too; everywhere: its whole rule, operators only.'),
});
export type SuppressInput = z.infer<typeof SuppressInput>;

export const Judged = z.strictObject({
  summary: z.string(),
  finding_id: z.string(),
  fingerprint: z.string(),
  engine: z.string(),
  rule_id: z.string(),
  scope: z.enum(['here', 'everywhere']),
  status: z.enum([...SUPPRESSION_STATUSES, 'active']).describe('As it holds now.'),
  reason: z.string().optional(),
  who: z.string().optional(),
  expires_at: z.string().optional(),
});
export type Judged = z.infer<typeof Judged>;
