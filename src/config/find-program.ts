import { delimiter, isAbsolute, join, sep } from 'node:path';
import { isProgram } from '../platform/program-file.ts';
import { environment, type Environment } from './environment.ts';

/** Folders that programs started from a desktop often do not have on their PATH. */
const USUAL_FOLDERS: readonly string[] =
  process.platform === 'win32'
    ? ['C:\\Program Files (x86)\\Nmap', 'C:\\Program Files\\Nmap']
    : ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/opt/local/bin', '/snap/bin'];

/**
 * Absolute path of a program: on PATH, else in the usual folders; undefined when it is nowhere.
 * Only absolute PATH entries count, and none inside a `node_modules`: clients start servers in whatever repository is
 * open, and `.` or the folders npx adds would run that repository's programs.
 */
export function findProgram(
  name: string,
  env: Environment = environment(),
  usualFolders: readonly string[] = USUAL_FOLDERS,
): string | undefined {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  const onPath = (env['PATH'] ?? '').split(delimiter).filter(isTrustworthy);
  return [...onPath, ...usualFolders].map((folder) => join(folder, file)).find(isProgram);
}

const isTrustworthy = (folder: string): boolean => isAbsolute(folder) && !folder.split(sep).includes('node_modules');
