import { z } from 'zod';
import { Coverage, Verdict } from '../coverage.ts';
import { BySeverity } from '../finding.ts';
import { ScanOrigin, ScanState } from '../scan.ts';
import { lineText } from '../untrusted.ts';

/** Longest report that comes as an argument, in characters; a longer one belongs in a file. */
export const MAX_CONTENT = 5_000_000;

export const ImportInput = z.strictObject({
  path: z
    .string()
    .min(1)
    .max(4_096)
    .optional()
    .describe('File in an import folder of the operator: absolute, or relative to the folder.'),
  content: z.string().max(MAX_CONTENT).optional().describe('Or the text of the report itself.'),
  source: z.string().min(1).max(300).optional().describe('Or a scan at a scanner: nessus:<instance>/<id>.'),
  format: z
    .string()
    .min(1)
    .max(40)
    .default('auto')
    .describe('auto looks at the content; a wrong name lists the formats.'),
  name: lineText(200).optional().describe('Your label; default: the title of the report.'),
  keep_partial: z.boolean().default(false).describe('Keep what is whole of a report that is cut short or damaged.'),
});
export type ImportInput = z.infer<typeof ImportInput>;

export const ImportAnswer = z.strictObject({
  summary: z.string(),
  scan_id: z.string(),
  trace_id: z.string(),
  origin: ScanOrigin,
  state: ScanState,
  verdict: Verdict,
  coverage: Coverage,
  format: z.string(),
  engine: z.string(),
  total: z.int(),
  by_severity: BySeverity,
  suppressed: z.int(),
  deduplicated: z.boolean().describe('True: the same bytes were imported before; that scan answers.'),
  cut_at: z.string().optional().describe('With keep_partial: where the report is unreadable.'),
});
export type ImportAnswer = z.infer<typeof ImportAnswer>;
