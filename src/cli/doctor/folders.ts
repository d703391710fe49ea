import { existsSync, statfsSync, statSync } from 'node:fs';
import type { Environment } from '../../config/environment.ts';
import { prepareDataFolder } from '../../config/folders.ts';
import { loadSettings, type Settings } from '../../config/settings.ts';
import { checkQueueSettings } from '../../app.ts';
import { VERSION } from '../version.ts';
import { fail, failed, ok, warn, type Finding } from './finding.ts';

const OLDEST_NODE = [20, 19] as const;

export function examineNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const said = `scanmux ${VERSION} on Node ${version}, ${process.platform} ${process.arch}`;
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  return isOld ? fail('program', `${said}.`, `install Node ${OLDEST_NODE.join('.')} or newer.`) : ok('program', said);
}

/** @param initCommand What to type to fill this folder. */
export function examineConfigFolder(folder: string, initCommand: string): Finding[] {
  if (!existsSync(folder)) {
    return [
      warn(
        'config',
        `${folder} is not there: built-in defaults are in force.`,
        `\`${initCommand}\` writes commented examples.`,
      ),
    ];
  }
  return [writableByOthers(folder, 'config') ?? ok('config', folder)];
}

/** Others who may write a config file or its folder decide what is scanned. */
export function writableByOthers(path: string, subject: string): Finding | undefined {
  if (process.platform === 'win32' || !existsSync(path)) return undefined;
  const { mode, uid } = statSync(path);
  if ((mode & 0o022) !== 0) return warn(subject, `Other users may write to ${path}.`, `chmod go-w ${path}`);
  const own = process.getuid?.();
  return own !== undefined && uid !== own && uid !== 0
    ? warn(subject, `${path} belongs to another user.`, `chown it to the user that runs scanmux.`)
    : undefined;
}

export function examineSettings(
  configFolder: string,
  env: Environment,
): { settings: Settings | undefined; finding: Finding } {
  try {
    const settings = loadSettings({ configFolder, env });
    checkQueueSettings(settings);
    return {
      settings,
      finding: ok('settings', 'scanmux.yaml and environment are valid'),
    };
  } catch (error) {
    return { settings: undefined, finding: failed('settings', error) };
  }
}

const MIB = 2 ** 20;

export function examineDataFolder(folder: string, reserveMb: number): Finding[] {
  try {
    prepareDataFolder(folder);
    const { bavail, bsize } = statfsSync(folder);
    const freeMb = Math.floor((bavail * bsize) / MIB);
    const disk = `${freeMb} MB free, ${reserveMb} MB are kept back`;
    if (freeMb > reserveMb) return [ok('data', `${folder} (${disk})`)];
    return [
      fail(
        'data',
        `The disk of ${folder} is full: ${disk}; new scans are refused.`,
        'free disk space, or lower storage_reserve_mb.',
      ),
    ];
  } catch (error) {
    return [failed('data', error)];
  }
}
