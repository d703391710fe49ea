import { readFileSync } from 'node:fs';
import { configInvalid } from './problems.ts';

/** True for what Node throws when a file or one of its folders is not there. */
export const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** What the system says about a failed file operation, e.g. `EACCES`; without the path, which stands before it. */
export const systemCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';

/** Bytes of a configuration file as text. @throws AppError config_invalid when they are not UTF-8 */
export function decodeConfig(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw configInvalid([{ where: file, message: 'is not UTF-8 text' }]);
  }
}

/** The text of a configuration file; undefined when there is none. @throws AppError config_invalid when it is unreadable */
export function readConfigFile(file: string): string | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw configInvalid([{ where: file, message: `cannot be read (${systemCode(error)})` }]);
  }
  return decodeConfig(bytes, file);
}
