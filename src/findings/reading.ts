import { z } from 'zod';
import { AppError } from '../model/errors.ts';
import { sqliteFailure } from '../platform/sqlite-failure.ts';

/** What a reader throws about a file that does not hold what it must. */
export const damaged = (path: string, cause?: unknown): AppError =>
  new AppError('storage_unusable', `${path} is damaged or no findings file of scanmux.`, {
    cause,
    hint: 'Operator: restore the file from a copy, or run the scan again; `scanmux doctor` checks the data folder.',
  });

/** Without its path: whoever asks is not always somebody of this machine. */
export const notHere = (cause: unknown): AppError =>
  new AppError('storage_unusable', 'The results of this scan are not on this machine.', {
    cause,
    hint:
      'Operator: servers and workers need one artefacts.folder on a shared volume, or artefacts.store: s3. On a single ' +
      'machine the file was removed: restore it from a copy, or run the scan again.',
  });

/** The driver gives no result code from `all` and `iterate`, only this one. */
const isDriverError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';

/** Rows that are no JSON or do not fit, and tables that are not there. Anything else is a defect of ours. */
const isDamage = (error: unknown): boolean =>
  error instanceof SyntaxError || error instanceof z.ZodError || isDriverError(error);

/** What a read of a findings file threw, with our code: `storage_unusable` for damage. A defect stays as it is. */
export function readFailure(path: string, error: unknown): unknown {
  const failure = sqliteFailure(error, path);
  return failure instanceof AppError || !isDamage(error) ? failure : damaged(path, error);
}

/**
 * Runs a read of a findings file.
 * @throws AppError storage_unusable, storage_full
 */
export function reading<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw readFailure(path, error);
  }
}
