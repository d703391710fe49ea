import { z } from 'zod';
import { Coverage, Place } from './coverage.ts';
import { Occurrence, RuleFacts } from './finding.ts';
import { NativeScan, NativeScopeLine } from './native.ts';

/**
 * What SARIF 2.1.0 has no place for, in the property bags of logs that scanmux wrote: writer and reader share these
 * schemas. `run.properties.scanmux` stands before the results of its run and says which engine they are of.
 */
export const SARIF_EXTRA_VERSION = 1;

/**
 * Places beyond the first ones are left out, and scopes are where there are more, and `cut` says so: a reader must be
 * able to hold the object.
 */
export const SARIF_MAX_PLACES = 5_000;
export const SARIF_MAX_SCOPES = 1_000;
export const SARIF_MAX_SCOPE_CHARS = 2 << 20;

/** `run.properties.scanmux`. */
export const SarifRunExtra = z.object({
  version: z.literal(SARIF_EXTRA_VERSION),
  engine: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/),
  scan: NativeScan,
  coverage: Coverage,
  /** The engine itself said that it was done. */
  whole: z.boolean(),
  /** The filters the log was written with, in words. Empty: every finding of the scan is in it. */
  filtered: z.array(z.string()),
  places: z.array(Place).max(SARIF_MAX_PLACES),
  scopes: z.array(NativeScopeLine.shape.scope).max(SARIF_MAX_SCOPES),
  /** Places or scopes were left out. */
  cut: z.boolean(),
});
export type SarifRunExtra = z.infer<typeof SarifRunExtra>;

/** `tool.driver.rules[].properties.scanmux`: what the results of that rule share. */
export const SarifRuleExtra = RuleFacts;

/** `result.properties.scanmux`. `rule` is there when it differs from that of the rule the result refers to. */
export const SarifResultExtra = z.object({
  ...Occurrence.shape,
  rule: RuleFacts.optional(),
  finding_id: z.string(),
  injection_signals: z.array(z.string()),
});
export type SarifResultExtra = z.infer<typeof SarifResultExtra>;
