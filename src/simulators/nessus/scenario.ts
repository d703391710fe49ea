import { z } from 'zod';
import { Fault } from './fault.ts';
import { LOGIN_OUTCOMES } from './report/login-items.ts';
import { SimulatorError } from './simulator-error.ts';

export const Edition = z.enum(['manager', 'professional', 'essentials', 'tenable_vm']);
export type Edition = z.infer<typeof Edition>;

const Ms = z.number().min(0).max(1e12);
/** Any word: a client meets statuses nobody told it of. */
const Status = z.string().regex(/^[a-z_]{1,40}$/, 'must be a word in lower case');
const Text = z.string().min(1).max(1_000);
export const LoginOutcome = z.enum(LOGIN_OUTCOMES);
export type LoginOutcome = z.infer<typeof LoginOutcome>;

const Report = z.strictObject({
  findings_per_host: z.int().min(0).max(100_000).default(12),
  bytes: z.int().min(0).max(2_000_000_000).optional().describe('The export is at least about this long.'),
  file: Text.optional().describe('A .nessus file to serve instead, with its hosts renamed to the targets.'),
  echo_secrets: z.boolean().default(false).describe('Repeats the secrets of the scan in its export.'),
});

export const PersonsDeed = z.enum(['pause', 'resume', 'stop', 'kill', 'delete']);
export type PersonsDeed = z.infer<typeof PersonsDeed>;

/** How a launched scan goes. Times are milliseconds of the simulated clock. */
export const RunScript = z.strictObject({
  walk: z
    .array(z.strictObject({ status: Status, for_ms: Ms.optional() }))
    .min(1)
    .default([
      { status: 'pending', for_ms: 500 },
      { status: 'initializing', for_ms: 500 },
      { status: 'running', for_ms: 5_000 },
      { status: 'processing', for_ms: 500 },
    ])
    .describe('Statuses in turn; one without for_ms lasts until somebody acts.'),
  ends: Status.default('completed'),
  turn_ms: Ms.default(300).describe('How long pausing, resuming and stopping take.'),
  stopped_as: Status.default('canceled'),
  stale_ms: Ms.default(0).describe('For this long after a launch, list and details show how things were before.'),
  hosts: z
    .strictObject({
      first_after_ms: Ms.default(0).describe('Of running time.'),
      every_ms: Ms.default(500).describe('The next host is found this much later.'),
      each_ms: Ms.optional().describe('How long one host takes; a third of the running time without it.'),
      dead: z.array(Text).default([]).describe('Targets that answer nothing.'),
    })
    .prefault({}),
  progress: z.enum(['hosts', 'zero']).default('hosts').describe('zero: it sits at 0 until the scan has ended.'),
  report: Report.prefault({}),
  login: LoginOutcome.default('success').describe('On every host, when the scan has credentials.'),
  logins: z.record(z.string(), LoginOutcome).default({}).describe('By target.'),
  someone: z
    .array(z.strictObject({ after_ms: Ms, does: PersonsDeed }))
    .default([])
    .describe('What a person does in the web interface, counted from the launch.'),
});
export type RunScript = z.infer<typeof RunScript>;

const ScriptedRun = RunScript.extend({
  when: z
    .strictObject({
      name_contains: Text.optional(),
      target: Text.optional(),
      nth: z.int().min(1).optional().describe('The nth launch of all.'),
    })
    .prefault({}),
});

/** A scan of somebody else, there before the client came. */
export const PresentScan = z.strictObject({
  name: Text,
  description: z.string().max(10_000).default(''),
  owner: Text.default('operator'),
  permissions: z.union([z.literal(16), z.literal(32), z.literal(64), z.literal(128)]).default(128),
  folder: Text.optional().describe('Name of a folder; the main folder without it.'),
  targets: z.array(Text).min(1).default(['192.0.2.10']),
  status: Status.default('completed').describe('empty: never launched. A status of a running scan: launched just now.'),
  run: RunScript.prefault({}),
});
export type PresentScan = z.infer<typeof PresentScan>;
export type PresentScanInput = z.input<typeof PresentScan>;

const Auth = z.strictObject({
  access_key: Text.default('5ca0'.repeat(16)),
  secret_key: Text.default('5ec2'.repeat(16)),
  username: Text.default('scanner'),
  password: Text.default('simulated'),
  idle_timeout_ms: Ms.default(1_800_000),
  session_limit: z.int().min(1).default(50),
  lock_after: z.int().min(1).default(10).describe('Wrong passwords in a row that lock the account.'),
});

const Exports = z.strictObject({
  loading_polls: z.int().min(0).default(1).describe('Answers "loading" before "ready" or "error".'),
  ends: z.enum(['ready', 'error']).default('ready'),
  answer: z.enum(['token_and_file', 'temp_token', 'file']).default('token_and_file'),
  routes: z.array(z.enum(['file', 'tokens', 'scans_exports'])).default(['file', 'tokens']),
  token_expires_ms: Ms.default(3_600_000),
  while_running: z.enum(['refuse', 'partial']).default('refuse'),
  content_length: z.boolean().default(false).describe('Announced; otherwise the download is chunked.'),
});

/** What the simulated server is and how it misbehaves. docs/simulators.md explains it. */
export const Scenario = z.strictObject({
  edition: Edition.default('manager'),
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+$/, 'must be like 10.8.3')
    .default('10.8.3'),
  seed: z.int().min(0).default(1).describe('Ids of folders, scans and findings follow from it.'),
  speed: z.number().min(0.001).max(1_000_000).default(1),
  boot_ms: Ms.default(0).describe('503 for this long after the start.'),
  certificate: z.enum(['none', 'expired', 'wrong_host']).default('none').describe('What is wrong with it.'),
  forbidden: z
    .enum(['body', 'head', 'reset', 'reset_after_success'])
    .default('body')
    .describe('How the 412 of an edition without scan_api comes.'),
  auth: Auth.prefault({}),
  folders: z.array(Text).default([]).describe('Besides My Scans and Trash.'),
  trash_first: z.boolean().default(false).describe('Only scans in the trash can be deleted.'),
  scans: z.array(PresentScan).default([]),
  runs: z.array(ScriptedRun).default([]).describe('The first whose `when` fits says how a launched scan goes.'),
  exports: Exports.prefault({}),
  rate_limit: z
    .strictObject({
      requests: z.int().min(1),
      per_ms: Ms,
      retry_after_s: z.number().min(0).default(30),
    })
    .optional(),
  faults: z.array(Fault).default([]),
});
export type Scenario = z.infer<typeof Scenario>;
export type ScenarioInput = z.input<typeof Scenario>;

/** True where scans can be made and launched through the API. */
export const hasScanApi = (edition: Edition): boolean => edition === 'manager' || edition === 'tenable_vm';

/** How the next launched scan goes. @param nth 1 for the first launch of all */
export function scriptFor(
  scenario: Scenario,
  scan: { name: string; targets: readonly string[] },
  nth: number,
): RunScript {
  const found = scenario.runs.find(
    ({ when }) =>
      (when.name_contains === undefined || scan.name.includes(when.name_contains)) &&
      (when.target === undefined || scan.targets.includes(when.target)) &&
      (when.nth === undefined || when.nth === nth),
  );
  if (!found) return RunScript.parse({});
  const { when: _, ...script } = found;
  return script;
}

/** @throws SimulatorError naming every wrong key */
export function parseScenario(raw: unknown): Scenario {
  const parsed = Scenario.safeParse(raw ?? {});
  if (!parsed.success) throw new SimulatorError(z.prettifyError(parsed.error));
  return parsed.data;
}
