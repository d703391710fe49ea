import { chmodSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { AppError } from '../model/errors.ts';
import { environment, variable, type Environment } from './environment.ts';
import { makeFolder } from './make-folder.ts';
import { configInvalid } from './problems.ts';
import { systemCode } from './read-config-file.ts';

/** Where to look. `platform` and `home` are parameters for tests. */
export interface FolderChoice {
  /** What was typed after `--config` or `--data`. A person typed it, so it may be relative to the working directory. */
  readonly flag?: string | undefined;
  readonly env?: Environment;
  readonly platform?: NodeJS.Platform;
  readonly home?: string;
}

/**
 * The folder of scanmux.yaml, scanners.yaml and policy.yaml. The working directory is never looked at: IDE clients
 * start servers inside whatever repository is open.
 * @throws AppError config_invalid when SCANMUX_CONFIG_DIR is relative
 */
export const configFolder = (choice: FolderChoice = {}): string =>
  chosen('SCANMUX_CONFIG_DIR', choice) ?? userFolder('config', choice);

/** The folder of the queue, findings and reports. @throws AppError config_invalid when SCANMUX_DATA_DIR is relative */
export const dataFolder = (choice: FolderChoice = {}): string =>
  chosen('SCANMUX_DATA_DIR', choice) ?? userFolder('data', choice);

function chosen(name: string, { flag, env = environment() }: FolderChoice): string | undefined {
  if (flag) return resolve(flag);
  const value = variable(env, name);
  if (value !== undefined && !isAbsolute(value)) {
    // Relative to a folder the client chose, which may be hostile.
    throw configInvalid([
      { where: `environment variable ${name}`, message: 'must be an absolute path (~ is not expanded here)' },
    ]);
  }
  return value;
}

/** XDG Base Directory Specification 0.8 (relative values are to be ignored), and the customs of macOS and Windows. */
function userFolder(kind: 'config' | 'data', { env = environment(), platform = process.platform, home }: FolderChoice) {
  const base = (name: string): string | undefined => {
    const value = variable(env, name);
    return value !== undefined && isAbsolute(value) ? value : undefined;
  };
  const below = (...parts: string[]): string => join(home ?? userHome(), ...parts);
  if (platform === 'win32') {
    return kind === 'config'
      ? join(base('APPDATA') ?? below('AppData', 'Roaming'), 'scanmux')
      : join(base('LOCALAPPDATA') ?? below('AppData', 'Local'), 'scanmux');
  }
  if (platform === 'darwin') {
    const folder = below('Library', 'Application Support', 'scanmux');
    return kind === 'config' ? folder : join(folder, 'data');
  }
  return kind === 'config'
    ? join(base('XDG_CONFIG_HOME') ?? below('.config'), 'scanmux')
    : join(base('XDG_DATA_HOME') ?? below('.local', 'share'), 'scanmux');
}

function userHome(): string {
  let home = '';
  try {
    home = homedir();
  } catch {
    // A container may run as a user id that has no account.
  }
  if (isAbsolute(home)) return home;
  throw configInvalid([
    { where: 'home folder', message: 'this user has none; set SCANMUX_CONFIG_DIR and SCANMUX_DATA_DIR' },
  ]);
}

/**
 * Makes sure that the data folder is there, private and writable.
 * A new or empty one becomes 0700. One with content keeps its mode (it may be somebody's home), but one that every
 * user may write to is refused: others could put their own queue there.
 * @throws AppError storage_unusable naming the folder and the fix; storage_full
 */
export function prepareDataFolder(folder: string): void {
  try {
    makeFolder(folder);
    const isEmpty = readdirSync(folder).length === 0;
    if (process.platform !== 'win32') tighten(folder, isEmpty);
    const trial = join(folder, `.write-test-${process.pid}`);
    writeFileSync(trial, '', { mode: 0o600 });
    rmSync(trial);
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (['ENOSPC', 'EDQUOT'].includes(systemCode(error))) {
      throw new AppError('storage_full', `The disk of the data folder ${folder} is full.`, { cause: error });
    }
    throw new AppError(
      'storage_unusable',
      `The data folder ${folder} cannot be made or written (${systemCode(error)}).`,
      {
        cause: error,
        hint: `Operator: make ${folder} a folder this user may write, or choose another one with --data or SCANMUX_DATA_DIR.`,
      },
    );
  }
}

function tighten(folder: string, isEmpty: boolean): void {
  const { mode, uid } = statSync(folder);
  if ((mode & 0o077) === 0) return;
  const isOurs = uid === process.getuid?.();
  if (isEmpty && isOurs) {
    chmodSync(folder, 0o700);
  } else if (isOurs && (mode & 0o002) !== 0) {
    throw new AppError('storage_unusable', `Every user may write to the data folder ${folder}.`, {
      hint: `Operator: run \`chmod 700 ${folder}\`, or choose another folder with --data or SCANMUX_DATA_DIR.`,
    });
  }
}
