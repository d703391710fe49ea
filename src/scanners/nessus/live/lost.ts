import { AppError } from '../../../model/errors.ts';

/** The remote scan is no more, or cannot be followed any more. Not repeated by itself: somebody may have meant it. */
export const lost = (why: string, cause?: unknown): AppError =>
  new AppError('remote_scan_lost', `The scan at the scanner is lost. ${why}`, cause === undefined ? {} : { cause });
