import { intensityRank, type Intensity } from '../../model/scan.ts';
import type { RuleName } from './rules/table.ts';
import type { HttpAnswer } from './web-client.ts';

/** One address that should not be public. */
export interface Exposure {
  readonly rule: RuleName;
  /** Below the folder that was asked for; no leading slash. */
  readonly path: string;
  readonly from: Intensity;
  /** What may be told of the content, or undefined when it proves nothing. Never a secret. */
  readonly proof: (answer: HttpAnswer) => string | undefined;
}

const isHtml = ({ headers, body }: HttpAnswer): boolean =>
  (headers.get('content-type') ?? []).some((type) => /html/i.test(type)) || /^\s*</.test(body);

const matches =
  (pattern: RegExp, told: string): Exposure['proof'] =>
  ({ body }) =>
    pattern.test(body) ? told : undefined;

function gitHead({ body }: HttpAnswer): string | undefined {
  if (/^ref: refs\/[\w./-]{1,200}\s*$/.test(body)) return 'ref: refs/...';
  return /^[0-9a-f]{40}\s*$/.test(body) ? 'a commit id of 40 hex digits' : undefined;
}

const MAX_KEYS = 30;

/** Every line that counts must be a setting: prose with one equals sign is none. */
function envFile(answer: HttpAnswer): string | undefined {
  if (isHtml(answer)) return undefined;
  const lines = answer.body.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  const keys = lines.flatMap((line) => /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]{0,99})\s*=/.exec(line)?.[1] ?? []);
  if (keys.length === 0 || keys.length < lines.length * 0.8) return undefined;
  const more = keys.length > MAX_KEYS ? `, and ${keys.length - MAX_KEYS} more` : '';
  return `keys: ${keys.slice(0, MAX_KEYS).join(', ')}${more}`;
}

function passwordFile(answer: HttpAnswer): string | undefined {
  if (isHtml(answer)) return undefined;
  const lines = answer.body.split(/\r?\n/).filter((line) => line !== '');
  const entries = lines.filter((line) => /^[^\s:]{1,100}:(\$(apr1|2[aby]|5|6)\$|\{SHA\}|[./\w]{13}$)/.test(line));
  return entries.length > 0 && entries.length === lines.length ? `${entries.length} entries` : undefined;
}

function hasKey(body: string, key: string): boolean {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  } catch {
    return false;
  }
}

const jsonWith =
  (key: string): Exposure['proof'] =>
  ({ body }) =>
    hasKey(body, key) ? `JSON with the key ${key}` : undefined;

function phpVersion({ body }: HttpAnswer): string | undefined {
  if (!body.includes('phpinfo()')) return undefined;
  const version = /PHP Version\s*(?:<[^>]{0,100}>\s*)*([\d.]{3,20})/.exec(body)?.[1];
  return version === undefined ? undefined : `PHP ${version}`;
}

const METRICS = /^# (HELP|TYPE) [a-zA-Z_:][\w:]* /m;

/** Addresses that are asked for, the most telling first. */
export const EXPOSURES: readonly Exposure[] = [
  { rule: 'exposed-git', path: '.git/HEAD', from: 'light', proof: gitHead },
  { rule: 'exposed-env', path: '.env', from: 'light', proof: envFile },
  {
    rule: 'exposed-server-status',
    path: 'server-status',
    from: 'light',
    proof: matches(/Apache Server Status for|^Total Accesses: \d+/m, 'status page of Apache'),
  },
  { rule: 'exposed-actuator', path: 'actuator', from: 'standard', proof: jsonWith('_links') },
  { rule: 'exposed-actuator-env', path: 'actuator/env', from: 'standard', proof: jsonWith('propertySources') },
  { rule: 'exposed-metrics', path: 'metrics', from: 'standard', proof: matches(METRICS, 'Prometheus metrics') },
  {
    rule: 'exposed-metrics',
    path: 'actuator/prometheus',
    from: 'intrusive',
    proof: matches(METRICS, 'Prometheus metrics'),
  },
  {
    rule: 'exposed-nginx-status',
    path: 'nginx_status',
    from: 'standard',
    proof: matches(/^Active connections: \d+\s+server accepts handled requests/, 'status page of nginx'),
  },
  { rule: 'exposed-phpinfo', path: 'phpinfo.php', from: 'standard', proof: phpVersion },
  { rule: 'exposed-phpinfo', path: 'info.php', from: 'intrusive', proof: phpVersion },
  {
    rule: 'exposed-pprof',
    path: 'debug/pprof/',
    from: 'standard',
    proof: matches(/Types of profiles available|<title>\/debug\/pprof\/<\/title>/, 'index of pprof'),
  },
  { rule: 'exposed-htpasswd', path: '.htpasswd', from: 'standard', proof: passwordFile },
  { rule: 'exposed-svn', path: '.svn/wc.db', from: 'standard', proof: matches(/^SQLite format 3/, 'SQLite database') },
  {
    rule: 'exposed-ds-store',
    path: '.DS_Store',
    from: 'standard',
    proof: ({ body }) => (body.startsWith('\0\0\0\u0001Bud1') ? 'folder settings of macOS' : undefined),
  },
  { rule: 'exposed-env', path: '.env.local', from: 'intrusive', proof: envFile },
  { rule: 'exposed-env', path: '.env.production', from: 'intrusive', proof: envFile },
  { rule: 'exposed-env', path: '.env.bak', from: 'intrusive', proof: envFile },
];

/** Folders whose listing is looked for, below the one that was asked for. */
const FOLDERS: readonly { readonly path: string; readonly from: Intensity }[] = [
  { path: 'files/', from: 'light' },
  { path: 'uploads/', from: 'standard' },
  { path: 'backup/', from: 'standard' },
  { path: 'images/', from: 'standard' },
  { path: 'static/', from: 'standard' },
  { path: 'assets/', from: 'intrusive' },
  { path: 'backups/', from: 'intrusive' },
  { path: 'logs/', from: 'intrusive' },
  { path: 'tmp/', from: 'intrusive' },
  { path: 'data/', from: 'intrusive' },
];

const upTo = <T extends { readonly from: Intensity }>(entries: readonly T[], intensity: Intensity): readonly T[] =>
  entries.filter(({ from }) => intensityRank(from) <= intensityRank(intensity));

export const exposuresFor = (intensity: Intensity): readonly Exposure[] => upTo(EXPOSURES, intensity);
export const foldersFor = (intensity: Intensity): readonly string[] => upTo(FOLDERS, intensity).map(({ path }) => path);

/** How servers title their listings (Apache, nginx, Python, Jetty, Tomcat, lighttpd, Caddy) plus a link in it. */
export const isListing = ({ status, body }: HttpAnswer): boolean =>
  status === 200 &&
  /<(title|h1)[^>]{0,100}>\s*(Index of|Directory listing for|Directory: |Directory Listing For|Directory listing of) ?\[?\//i.test(
    body,
  ) &&
  /<a\s[^>]{0,200}href=/i.test(body);
