// What the other scripts need before they can do their work. Only Node's own modules: node_modules may not exist yet.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Programs the tests run for real, and the package that brings each. */
const TOOLS = [
  { program: 'nmap', apt: 'nmap', brew: 'nmap' },
  { program: 'redis-server', apt: 'redis-server', brew: 'redis' },
  { program: 'chromium', apt: 'chromium', brew: 'chromium' },
  { program: 'promtool', apt: 'prometheus', brew: 'prometheus' },
  { program: 'nginx', apt: 'nginx', brew: 'nginx' },
  { program: 'openssl', apt: 'openssl', brew: 'openssl' },
];

/** Folders that are often missing from the PATH of a desktop session. */
const USUAL_FOLDERS = ['/usr/local/bin', '/opt/homebrew/bin', '/usr/bin', '/usr/sbin'];

/** Runs a program with our own stdio and returns its exit code; 1 when it cannot be started or was killed. */
export function run(file, argv, options = {}) {
  const { status, error } = spawnSync(file, argv, { cwd: ROOT, stdio: 'inherit', ...options });
  if (error) console.error(`${file}: ${error.message}`);
  return status ?? 1;
}

/** Argv that starts npm with the Node that runs this script; its name alone would not start on Windows. */
export function npmCommand() {
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return [process.execPath, script];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
}

/** Path of a program of one of our packages, to be run by Node itself. */
export function packageProgram(packageName, program = packageName) {
  const folder = join(ROOT, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bin === 'string' ? bin : bin[program]);
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch {
    return undefined;
  }
}

/** By content, not by time: a checkout writes package-lock.json anew without changing it. */
function isInstalled() {
  const wanted = readPackages(join(ROOT, 'package-lock.json'));
  const present = readPackages(join(ROOT, 'node_modules', '.package-lock.json'));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    if (path === '') return true;
    const found = present[path];
    // Optional packages are those of other platforms.
    if (!found) return optional === true || devOptional === true;
    return found.version === version && found.integrity === integrity;
  });
}

/** Installs exactly the lock file when node_modules is absent or differs from it. No package may run a script. */
export function ensurePackages() {
  if (isInstalled()) return;
  console.log('Installing npm packages (npm ci --ignore-scripts)');
  const [file, ...argv] = npmCommand();
  const code = run(file, [...argv, 'ci', '--ignore-scripts', '--no-audit', '--no-fund']);
  if (code !== 0) process.exit(code);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isFound(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...USUAL_FOLDERS];
  return folders.some((folder) => folder !== '' && isExecutable(join(folder, program)));
}

const missingTools = () => TOOLS.filter(({ program }) => !isFound(program));

/** Installs missing programs as root on Debian; anywhere else names the exact command and ends with exit code 1. */
export function ensureTools() {
  const missing = missingTools();
  if (missing.length === 0) return;
  const apt = missing.map((tool) => tool.apt);
  const names = missing.map((tool) => tool.program).join(', ');
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    console.log(`Installing ${names} (apt-get)`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-q'], { env });
    run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...apt], { env });
    if (missingTools().length === 0) return;
  }
  const brew = missing.map((tool) => tool.brew).join(' ');
  console.error(
    `The tests need ${names}. Install with one of:\n` +
      `  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${apt.join(' ')}\n` +
      `  brew install ${brew}`,
  );
  process.exit(1);
}
