import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../model/errors.ts';
import { makeFolder } from './make-folder.ts';
import { systemCode } from './read-config-file.ts';

/** The commented examples of the package; the same distance from `src/config` and `dist/config`. */
export const EXAMPLES_FOLDER = fileURLToPath(new URL('../../config/', import.meta.url));

export interface InitReport {
  readonly folder: string;
  /** Files that were made, and files that were there before and were left alone. */
  readonly written: readonly string[];
  readonly kept: readonly string[];
}

/**
 * Writes the commented examples into a config folder. Never overwrites anything.
 * @throws AppError storage_unusable when the folder cannot be written
 */
export function initConfig(folder: string, examples: string = EXAMPLES_FOLDER): InitReport {
  const written: string[] = [];
  const kept: string[] = [];
  try {
    makeFolder(folder);
    for (const name of readdirSync(examples)
      .filter((file) => file.endsWith('.yaml'))
      .sort()) {
      (writeNew(join(folder, name), readFileSync(join(examples, name))) ? written : kept).push(name);
    }
  } catch (error) {
    throw new AppError('storage_unusable', `The config folder ${folder} cannot be written (${systemCode(error)}).`, {
      cause: error,
      hint: `Operator: make ${folder} a folder this user may write, or choose another one with --config.`,
    });
  }
  return { folder, written, kept };
}

/** False when something has this name already, even a dangling link. */
function writeNew(path: string, content: Uint8Array): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}
