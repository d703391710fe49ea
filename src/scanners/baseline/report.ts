import { z } from 'zod';
import { Place } from '../../model/coverage.ts';
import { Location, Untrusted } from '../../model/finding.ts';
import { NativeScopeLine } from '../../model/native.ts';
import { Intensity } from '../../model/scan.ts';

/** Version of the format; the first line of every report carries it. Version 1 had no lines of scope. */
export const REPORT_VERSION = 2;
/** Longer lines are refused; the writer stays far below. */
export const MAX_LINE_BYTES = 256 * 1_024;

export const HeaderLine = z.strictObject({
  scanmux_baseline: z.literal([1, REPORT_VERSION]),
  intensity: Intensity,
  started_at: z.iso.datetime(),
});

export const FindingLine = z.strictObject({
  kind: z.literal('finding'),
  /** Name of the check in the rule table; its words are not repeated in the report. */
  rule: z.string().max(100),
  confidence: z.enum(['certain', 'firm', 'tentative']),
  location: Location,
  discriminator: z.string().max(300).optional(),
  untrusted: Untrusted,
});
export type FindingLine = z.infer<typeof FindingLine>;

export const PlaceLine = z.strictObject({ kind: z.literal('place'), place: Place });

const Check = z.string().max(300);
export const ChecksLine = z.strictObject({
  kind: z.literal('checks'),
  looked_for: z.array(Check).max(100),
  not_looked_for: z.array(Check).max(100),
});

/** What was looked at in one place that was looked at to the end. */
export const ScopeLine = z.strictObject({ kind: z.literal('scope'), ...NativeScopeLine.shape });

export const BodyLine = z.discriminatedUnion('kind', [FindingLine, PlaceLine, ChecksLine, ScopeLine]);
export type BodyLine = z.infer<typeof BodyLine>;

export const EndLine = z.strictObject({ end: z.literal(true) });

export type ReportLine = z.infer<typeof HeaderLine> | BodyLine | z.infer<typeof EndLine>;
