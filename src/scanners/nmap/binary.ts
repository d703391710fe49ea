import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ScannerHealth } from '../../model/capability.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { isProgram } from '../../platform/program-file.ts';
import { startSubprocess } from '../../platform/subprocess.ts';

/** GUI clients on macOS have none of the Homebrew folders on their PATH; the working directory is never looked into. */
const FOLDERS = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/opt/local/bin'];

const PROBE_TIMEOUT_MS = 10_000;

/** What nmap sees of our environment: nothing that could change what it does. */
export const CLEAN_ENV = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LANG: 'C', TERM: 'dumb' } as const;

export const INSTALL_HINT = 'Install nmap: `apt-get install nmap` (Debian, Ubuntu) or `brew install nmap` (macOS).';

/** The nmap to run: the configured one, else the first in the usual folders. Undefined when there is none to run. */
export function findNmap(configured?: string): string | undefined {
  if (configured !== undefined) return isAbsolute(configured) && isProgram(configured) ? configured : undefined;
  return FOLDERS.map((folder) => join(folder, 'nmap')).find(isProgram);
}

/** What came with an nmap. */
export interface Installed {
  /** The folder of its data files and scripts, without links. */
  readonly dataFolder: string;
  /** Names in its script.db. */
  readonly scripts: ReadonlySet<string>;
}

/** The files that belong to this nmap; undefined when they are not where packages put them. */
export function installedFiles(binary: string): Installed | undefined {
  try {
    const dataFolder = realpathSync(join(dirname(realpathSync(binary)), '..', 'share', 'nmap'));
    const index = readFileSync(join(dataFolder, 'scripts', 'script.db'), 'utf8');
    const names = [...index.matchAll(/^Entry \{ filename = "([^"]+)\.nse"/gm)];
    return names.length > 0 ? { dataFolder, scripts: new Set(names.map(([, name]) => name ?? '')) } : undefined;
  } catch {
    return undefined;
  }
}

/** @throws only when `signal` aborts */
export async function probeNmap(configured: string | undefined, signal: AbortSignal): Promise<ScannerHealth> {
  signal.throwIfAborted();
  const binary = findNmap(configured);
  if (binary === undefined) {
    const where = configured === undefined ? `in ${FOLDERS.join(', ')}` : `at ${configured}`;
    return {
      status: 'unhealthy',
      canLaunch: false,
      refusal: 'no_scanner_available',
      why: `There is no nmap ${where}. ${INSTALL_HINT}`,
    };
  }
  // Programs are started in it; one that is missing is told by the system as if the program were.
  if (!existsSync(tmpdir())) {
    const why = `The folder for temporary files, ${tmpdir()}, is not there. Make it, or set TMPDIR to one that is.`;
    return { status: 'unhealthy', canLaunch: false, why };
  }
  try {
    const said = await versionText(binary, AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]));
    const version = /^Nmap version (\d[\w.+-]{0,30})/m.exec(said)?.[1];
    if (version) return { status: 'healthy', version, canLaunch: true };
    return sick(`${binary} does not say that it is nmap.`);
  } catch (error) {
    signal.throwIfAborted();
    return sick(`${binary} cannot be run: ${error instanceof Error ? cleanLine(error.message, 200) : 'unknown'}.`);
  }
}

const sick = (why: string): ScannerHealth => ({
  status: 'unhealthy',
  canLaunch: false,
  why: `${why} ${INSTALL_HINT} Or set \`binary\` of the instance to the right path.`,
});

async function versionText(binary: string, signal: AbortSignal): Promise<string> {
  const options = { env: CLEAN_ENV, cwd: tmpdir(), signal, stopSignal: 'SIGTERM', graceMs: 500 } as const;
  const process = await startSubprocess(binary, ['--version'], options);
  const [said] = await Promise.all([text(process.stdout), process.exit]);
  signal.throwIfAborted();
  return said;
}
