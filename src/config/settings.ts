import { join } from 'node:path';
import { z } from 'zod';
import { environment, type Environment } from './environment.ts';
import { pathText, valueAt, withoutNulls, type JsonPath } from './json-value.ts';
import { parseLenient, type KeyIssue } from './lenient-parse.ts';
import { configInvalid, type Problem } from './problems.ts';
import { readConfigFile } from './read-config-file.ts';
import { Artefacts } from './settings-artefacts.ts';
import { Retention } from './settings-retention.ts';
import { AllowVolatileRedis, RedisSettings } from './settings-redis.ts';
import { overlay, settingVariables, type SettingVariable } from './settings-environment.ts';
import { LimitSettings, OidcSettings, OperatorTenants } from './settings-auth.ts';
import { EventsSettings } from './settings-events.ts';
import { MetricsSettings } from './settings-observe.ts';
import { HttpSettings } from './settings-http.ts';
import { ImportFolders } from './settings-imports.ts';
import { parseYaml, type YamlText } from './yaml-text.ts';

export const SETTINGS_FILE = 'scanmux.yaml';

const Worker = z.strictObject({
  max_concurrent_scans: z
    .int()
    .min(1)
    .max(256)
    .default(64)
    .describe(
      'Scans one worker runs at once, over all pools. Less than the limits of all instances together lets a busy pool hold up the others.',
    ),
  idle_exit_seconds: z
    .number()
    .min(0.1)
    .max(86_400)
    .default(60)
    .describe('A worker that was started by a server ends after this long without any scan to run.'),
  shutdown_grace_seconds: z
    .number()
    .min(0)
    .max(3_600)
    .default(30)
    .describe('After SIGTERM, time for running scans to finish before they are given back to the queue.'),
  in_process: z
    .boolean()
    .default(false)
    .describe('Run scans inside the server instead of a process of their own, e.g. in a container.'),
  lease_seconds: z
    .number()
    .min(1)
    .max(3_600)
    .default(60)
    .describe('A scan whose worker is silent this long is given to another one.'),
});

const Retry = z
  .strictObject({
    max_attempts: z.int().min(1).max(10).default(3).describe('Attempts per scan, the first one included.'),
    base_seconds: z
      .number()
      .min(0.01)
      .max(3_600)
      .default(2)
      .describe('Longest wait before the second attempt; it doubles with each further one. The wait itself is random.'),
    max_seconds: z.number().min(0.01).max(86_400).default(300).describe('Longest wait before any attempt.'),
  })
  .refine((retry) => retry.base_seconds <= retry.max_seconds, {
    path: ['base_seconds'],
    message: 'must not be larger than retry.max_seconds',
  });

/** scanmux.yaml. Every key is an environment variable too: `SCANMUX_` and its path. */
export const Settings = z.strictObject({
  default_pool: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'must be the name of a pool: a-z, 0-9, _ and -')
    .default('baseline')
    .describe('Pool for scans that name none.'),
  log_level: z
    .enum(['silent', 'error', 'warn', 'info', 'debug'])
    .default('info')
    .describe('What is logged on stderr. Also read from `LOG_LEVEL`.'),
  storage_reserve_mb: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(256)
    .describe('New scans, imports and exports are refused when the disk of the data folder has less free than this.'),
  idempotency_hours: z
    .number()
    .min(1)
    .max(8_760)
    .default(48)
    .describe('How long a repeated idempotency key returns the scan it made.'),
  queued_expiry_hours: z
    .number()
    .min(1)
    .max(8_760)
    .default(168)
    .describe('A scan that could not start for this long fails.'),
  max_raw_report_mb: z
    .int()
    .min(1)
    .max(102_400)
    .default(2_048)
    .describe(
      'A report of an engine is cut off here; its scan fails, and what was read so far is kept. A larger one is not imported.',
    ),
  import_folders: ImportFolders,
  probe_interval_seconds: z
    .number()
    .min(1)
    .max(3_600)
    .default(60)
    .describe('What is known about the health of a scanner is asked again after this long.'),
  worker: Worker.prefault({}).describe('Processes that run scans.'),
  retry: Retry.prefault({}).describe('Attempts after errors that can pass.'),
  retention: Retention.prefault({}).describe('How long what has ended is kept.'),
  artefacts: Artefacts.prefault({}).describe('Where raw reports and findings are kept.'),
  redis: RedisSettings.prefault({}).describe('One queue for servers and workers on several machines.'),
  allow_volatile_redis: AllowVolatileRedis,
  http: HttpSettings.prefault({}).describe('The HTTP server.'),
  oidc: OidcSettings.prefault({}).describe('Tokens of an OpenID Connect issuer.'),
  operator_tenants: OperatorTenants,
  limits: LimitSettings.prefault({}).describe('What callers and tenants may use up.'),
  events: EventsSettings.prefault({}).describe('Live events over HTTP.'),
  metrics: MetricsSettings.prefault({}).describe('Who may read the numbers for Prometheus.'),
});
export type Settings = z.infer<typeof Settings>;

/**
 * Reads scanmux.yaml, which may be absent, and the environment, which wins over it.
 * @throws AppError config_invalid, listing every wrong key at once
 */
export function loadSettings({
  configFolder,
  env = environment(),
}: {
  configFolder: string;
  env?: Environment;
}): Settings {
  const file = join(configFolder, SETTINGS_FILE);
  const content = readConfigFile(file);
  const yaml = parseYaml(content ?? '', file);
  const variables = settingVariables(Settings);
  const { raw, sources, problems: wrongNames } = overlay(withoutNulls(yaml.value ?? {}), variables, env);
  const problems: Problem[] = [...yaml.problems, ...wrongNames];
  const parsed = parseLenient(Settings, raw);
  if (!parsed.ok) problems.push(...parsed.issues.map((issue) => located(issue, file, { yaml, sources, variables })));
  if (!parsed.ok || problems.length > 0) throw configInvalid(problems);
  return parsed.value;
}

interface Places {
  readonly yaml: YamlText;
  /** Variable that set a key, by the path of the key. */
  readonly sources: ReadonlyMap<string, string>;
  readonly variables: readonly SettingVariable[];
}

/** What is missing beside a variable is no mistake of the file, which may not even be there. */
function besideOf(path: JsonPath, { yaml, sources, variables }: Places): string | undefined {
  if (valueAt(yaml.value, path) !== undefined) return undefined;
  const key = pathText(path);
  const own = variables.find((variable) => pathText(variable.path) === key)?.name;
  const section = own === undefined ? key : pathText(path.slice(0, -1));
  const set = section === '' ? [] : [...sources].filter(([other]) => other.startsWith(`${section}.`));
  if (set.length === 0) return undefined;
  const names = set.map(([, name]) => name).join(', ');
  return own === undefined
    ? `environment variable ${names}`
    : `environment variable ${own}, which is not set beside ${names}`;
}

function located({ path, message }: KeyIssue, file: string, { yaml, sources, variables }: Places): Problem {
  const key = pathText(path);
  // A variable that holds a list sets all of it: the place of the wrong part is no variable.
  const source = path
    .map((_, index) => sources.get(pathText(path.slice(0, index + 1))))
    .find((name) => name !== undefined);
  if (source !== undefined) return { where: `environment variable ${source}`, message };
  const beside = besideOf(path, { yaml, sources, variables });
  if (beside !== undefined) return { where: beside, message };
  return { where: [fileAt(file, yaml, path), key].filter(Boolean).join(': '), message };
}

function fileAt(file: string, yaml: YamlText, path: JsonPath): string {
  const line = yaml.lineOf(path);
  return line === undefined ? file : `${file}:${line}`;
}
