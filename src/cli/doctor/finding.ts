import { errorFacts } from '../../model/errors.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { hintForPeople, withoutExcerpt } from '../errors-for-people.ts';

/** One line of `scanmux doctor`. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly subject: string;
  readonly said: string;
  /** What to do about it; absent when nothing is wrong. */
  readonly fix?: string;
}

const line = (text: string): string => cleanLine(text, 2_000);

export const ok = (subject: string, said: string): Finding => ({ level: 'ok', subject, said: line(said) });

export const warn = (subject: string, said: string, fix: string): Finding => ({
  level: 'warn',
  subject,
  said: line(said),
  fix: line(fix),
});

export const fail = (subject: string, said: string, fix: string): Finding => ({
  ...warn(subject, said, fix),
  level: 'fail',
});

const DAMAGED_QUEUE =
  'restore queue.db, queue.db-wal and queue.db-shm of the data folder from a copy, or move all three away together. Moving ' +
  'them away loses the scan records and the queue; reports and findings under scans/ and the audit log stay.';

/** A thrown value as a line: its code, its message and its hint as the fix. */
export function failed(subject: string, error: unknown): Finding {
  const { code, message, hint } = errorFacts(error);
  const isQueue = code === 'storage_unusable' && message.includes('queue.db') && message.includes('damaged');
  // Whoever reads this has just run the doctor.
  const fix = hintForPeople(hint).replace(/; `scanmux doctor` (checks|says)[^.;]*/, '');
  return fail(subject, `${code}: ${withoutExcerpt(message)}`, isQueue ? DAMAGED_QUEUE : fix);
}
