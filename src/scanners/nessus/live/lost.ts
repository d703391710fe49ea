import { AppError } from '../../../model/errors.ts';

/** The remote scan is no more, or cannot be followed any more. Not repeated by itself: somebody may have meant it. */
export const lost = (why: string): AppError =>
  new AppError('remote_scan_lost', `The scan at the scanner is lost. ${why}`);

/** Nobody deleted it: it may run, or have ended, where nobody could look. */
export const lostInOutage = (outageMs: number, cause: unknown): AppError =>
  new AppError(
    'remote_scan_lost',
    `The scan at the scanner cannot be followed: the scanner did not answer for ${Math.round(outageMs / 60_000)} minutes.`,
    {
      hint: 'The scan may still be at the scanner, running or finished (external_scan_id, and this scan id in its name). Once the scanner answers, look there and import its report, or stop it, before you scan again.',
      cause,
    },
  );
