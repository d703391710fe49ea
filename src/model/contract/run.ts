import { z } from 'zod';
import { Severity } from '../finding.ts';
import { Intensity, ScanState } from '../scan.ts';
import { lineText } from '../untrusted.ts';
import { Status } from './status.ts';

/** Arguments every run has, in the order agents read them. TOOLS contract: flat, no unions, no nullables. */
const runFields = {
  targets: z
    .array(z.string().min(1).max(2_000))
    .min(1)
    .max(1_000)
    .describe('What to scan: IP, CIDR, range 10.0.0.1-10.0.0.20, host, host:port or http(s) URL. One per entry.'),
  name: lineText(200).optional().describe('Your label for the scan.'),
  description: lineText(1_000).optional().describe('Why you scan; for people who read the record.'),
  scanner_pool: z.string().max(64).optional().describe('Pool from list_scanners; default: default_pool there.'),
  scanner_instance: z.string().max(64).optional().describe('Pins one instance of the pool.'),
  intensity: Intensity.default('standard').describe('light and standard do no harm on purpose; intrusive may.'),
  ports: z
    .string()
    .max(2_000)
    .regex(/^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/, 'must look like 80,443,8000-8100')
    .optional()
    .meta({ description: 'TCP ports. Default: the engine chooses by intensity.', examples: ['80,443,8000-8100'] }),
  templates: z
    .array(z.string().min(1).max(200))
    .max(100)
    .optional()
    .describe('Names of checks, where the engine has them.'),
  severity_levels: z.array(Severity).max(5).optional().describe('Only run checks of these severities.'),
  priority: z.int().min(1).max(10).default(5).describe('1 is served first.'),
  project_id: z.string().min(1).max(100).optional().describe('Your project; list_scans filters by it.'),
  idempotency_key: z
    .string()
    .min(8)
    .max(200)
    .optional()
    .describe('Only to repeat a call whose answer was lost; omit it to scan again.'),
  max_duration_minutes: z
    .int()
    .min(1)
    .max(10_080)
    .default(1_440)
    .describe('The scan is ended after this long; what it found is kept.'),
  wait_seconds: z.int().min(0).max(50).default(0).describe('Wait this long for the end before answering.'),
};

export const RunUntrustedInput = z.strictObject(runFields);
export type RunUntrustedInput = z.infer<typeof RunUntrustedInput>;

const credentialRef = z.string().min(1).max(64).describe('Name of a login, from credential_refs in list_scanners.');
const Privilege = z.enum(['user', 'elevated']);
const privilege = Privilege.describe('elevated: become administrator on the target after login.');

export const RunAuthenticatedInput = z.strictObject({
  ...runFields,
  credential_ref: credentialRef,
  privilege: privilege.default('user'),
});
export type RunAuthenticatedInput = z.infer<typeof RunAuthenticatedInput>;

/** The arguments of either run. */
export const PlanInput = z
  .strictObject({ ...runFields, credential_ref: credentialRef.optional(), privilege: privilege.optional() })
  .refine(({ credential_ref: ref, privilege: asked }) => ref !== undefined || asked === undefined, {
    path: ['privilege'],
    message: 'needs credential_ref',
  });
export type PlanInput = z.infer<typeof PlanInput>;

/** With `wait_seconds` the answer also holds what `get_scan_status` gives. */
export const SubmittedScan = z.strictObject({
  ...Status.partial().shape,
  summary: z.string(),
  scan_id: z.string(),
  trace_id: z.string(),
  state: ScanState,
  deduplicated: z.boolean().describe('True: an earlier scan answers this call; nothing new was started.'),
  created_at: z.string(),
  scanner_pool: z.string(),
  estimated_wait_seconds: z.number().optional(),
  resource_uri: z.string(),
});
export type SubmittedScan = z.infer<typeof SubmittedScan>;

/** The same for the list of tools, which spells it out at the other run. */
export const SubmittedLogin = z.looseObject({
  summary: z.string(),
  scan_id: z.string(),
  state: ScanState,
  credential_ref: z.string(),
});

export const Plan = z.strictObject({
  summary: z.string(),
  allowed: z.boolean(),
  targets: z.array(
    z.strictObject({
      target: z.string(),
      allowed: z.boolean(),
      rule: z.string(),
      reason: z.string(),
      resolved: z.array(z.string()),
    }),
  ),
  hosts: z.int(),
  engine: z.string(),
  looks_for: z.array(z.string()),
  instances: z.array(z.strictObject({ instance_id: z.string(), can_launch: z.boolean(), why: z.string().optional() })),
  estimated_wait_seconds: z.number().optional(),
  estimated_duration_seconds: z
    .number()
    .optional()
    .describe('From measured scans of the pool; absent before the first.'),
  would_deduplicate_to: z.string().optional().describe('Id of the scan a run would return instead of a new one.'),
});
export type Plan = z.infer<typeof Plan>;
