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

/** A thrown value as a line: its code, its message and its hint as the fix. */
export function failed(subject: string, error: unknown): Finding {
  const { code, message, hint } = errorFacts(error);
  return fail(subject, `${code}: ${withoutExcerpt(message)}`, hintForPeople(hint));
}
