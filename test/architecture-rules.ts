import { basename, dirname, join } from 'node:path/posix';

/** Who may import whom. docs/architecture.md explains this table; this table is the rule. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  platform: ['model'],
  config: ['model', 'platform'],
  policy: ['model', 'platform'],
  audit: ['model', 'platform'],
  queue: ['model', 'platform'],
  findings: ['model', 'platform'],
  scanners: ['model', 'platform'],
  simulators: [],
  credentials: ['model', 'platform', 'config', 'policy'],
  registry: ['model', 'platform', 'config', 'scanners'],
  scans: ['model', 'platform', 'policy', 'audit', 'queue', 'findings', 'registry', 'scanners', 'credentials'],
  worker: ['model', 'platform', 'policy', 'audit', 'queue', 'findings', 'registry', 'scanners', 'credentials'],
  tools: ['model', 'scans'],
  http: ['model', 'config', 'platform', 'queue', 'scans', 'tools'],
  cli: ['model', 'platform', 'config', 'scans', 'tools', 'policy', 'audit', 'queue', 'simulators', 'http', 'app.ts'],
};

/** The only files that know every adapter: `app.ts`, and the list of engines and report formats it takes in. */
const ROOT_FILES: ReadonlySet<string> = new Set(['src/app.ts', 'src/engines.ts', 'src/open-queue.ts']);

/** What other rooms may see of a room whose adapters only `app.ts` builds: ports and pure functions. */
const OPEN_FILES: Readonly<Record<string, readonly string[]>> = {
  queue: [
    'src/queue/queue.ts',
    'src/queue/suppressions.ts',
    'src/queue/scan-index.ts',
    'src/queue/operations.ts',
    'src/queue/api-keys.ts',
    'src/queue/quotas.ts',
    'src/queue/server-secrets.ts',
  ],
  scanners: ['src/scanners/scanner.ts', 'src/scanners/report-format.ts', 'src/scanners/detect-format.ts'],
  findings: [
    'src/findings/findings.ts',
    'src/findings/artefacts.ts',
    'src/findings/tokens.ts',
    'src/findings/show.ts',
    'src/findings/shrink.ts',
    'src/findings/comparison.ts',
    'src/findings/searching.ts',
    'src/findings/look-proof.ts',
    'src/findings/look-access.ts',
    'src/findings/cursor.ts',
    'src/findings/place-labels.ts',
    'src/findings/place-list.ts',
  ],
  credentials: ['src/credentials/credentials.ts'],
  policy: [
    'src/policy/policy.ts',
    'src/policy/target.ts',
    'src/policy/address.ts',
    'src/policy/entry.ts',
    'src/policy/rules.ts',
    'src/policy/edit-policy.ts',
    'src/policy/policy-advice.ts',
  ],
};

/** Packages with one door each. */
const DOORS: readonly { readonly packages: RegExp; readonly doors: RegExp }[] = [
  { packages: /^@modelcontextprotocol\//, doors: /^src\/(tools\/(server|mcp-[a-z-]+)\.ts|http\/.+|cli\/.+)$/ },
  { packages: /^(@photostructure\/sqlite|node:sqlite)$/, doors: /^src\/platform\/sqlite\.ts$/ },
  { packages: /^ioredis$/, doors: /^src\/queue\/redis\/.+\.ts$/ },
  { packages: /^(node:)?child_process$/, doors: /^src\/platform\/subprocess\.ts$/ },
  { packages: /^(node:)?worker_threads$/, doors: /^src\/findings\/(threads?|gather-(in-)?thread)\.ts$/ },
  { packages: /^@aws-sdk\//, doors: /^src\/findings\/remote\/s3-(client|upload)\.ts$/ },
  { packages: /^pino$/, doors: /^src\/platform\/log\.ts$/ },
];

const MAY_READ_ENVIRONMENT = /^src\/(config\/.+|platform\/.+|app\.ts|cli\/main\.ts)$/;
const EMPTY_NAMES = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'manager', 'data', 'info']);
export const MAX_LINES = 250;

const IMPORT = /\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;
const room = (file: string): string => file.split('/')[1] ?? '';
/** `src/scanners/nmap/argv.ts` -> `nmap`; a file directly in a room has none. */
const subfolder = (file: string): string | undefined => (file.split('/').length > 3 ? file.split('/')[2] : undefined);

/** Comments may speak of what code may not do. Only whole-line `//` comments: a URL in a string is none. */
const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');

function packageProblem(file: string, imported: string): string | undefined {
  const door = DOORS.find(({ packages }) => packages.test(imported));
  return door && !door.doors.test(file) ? `may not import ${imported}` : undefined;
}

function roomProblem(file: string, target: string): string | undefined {
  if (!MAY_IMPORT[room(file)]?.includes(room(target))) return `may not import ${target}`;
  const open = OPEN_FILES[room(target)];
  return open && !open.includes(target) ? `may not import the adapter ${target}: app.ts builds it` : undefined;
}

function importProblem(file: string, imported: string): string | undefined {
  if (!imported.startsWith('.')) return packageProblem(file, imported);
  if (ROOT_FILES.has(file)) return undefined;
  const target = join(dirname(file), imported);
  if (room(target) !== room(file)) return roomProblem(file, target);
  const isOtherEngine = subfolder(target) !== undefined && subfolder(target) !== subfolder(file);
  return room(file) === 'scanners' && isOtherEngine ? `may not import another engine: ${target}` : undefined;
}

/** A file without code of its own: only imports and exports of others' names. */
function isBarrel(code: string): boolean {
  const reexport = /^\s*export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})(?:\s*from\s*['"][^'"]+['"])?\s*;?/gm;
  const imports = /^\s*import\b[^;]*;/gm;
  return code.trim() !== '' && code.replace(reexport, '').replace(imports, '').trim() === '';
}

/** What is wrong with one source file, in words; empty when nothing is. `file` is relative, with forward slashes. */
export function problemsOf(file: string, source: string): string[] {
  const code = withoutComments(source);
  const problems = [...code.matchAll(IMPORT)].map(([, imported]) => importProblem(file, imported ?? ''));
  if (!ROOT_FILES.has(file) && !(room(file) in MAY_IMPORT)) problems.push(`is in no known room: ${room(file)}`);
  if (/\bprocess\.env\b|\benv\b[^;]*from 'node:process'/.test(code) && !MAY_READ_ENVIRONMENT.test(file))
    problems.push('may not read the environment: config/ does');
  if (isBarrel(code)) problems.push('only re-exports: import from where things are defined');
  if (/\bexport\s+default\b|\bas\s+default\b/.test(code)) problems.push('has a default export');
  if (code.split('\n').filter((line) => line.trim() !== '').length > MAX_LINES)
    problems.push(`has more than ${MAX_LINES} lines of code`);
  const words = basename(file).split('.')[0]?.split('-') ?? [];
  for (const part of words) if (EMPTY_NAMES.has(part)) problems.push(`has a name that says nothing: ${part}`);
  return problems.filter((problem) => problem !== undefined);
}
