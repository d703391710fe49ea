import { AppError } from '../model/errors.ts';

/** One thing that is wrong in a file or variable. Never holds a value, which may be a secret. */
export interface Problem {
  /** File with line where known and key path, or the name of a variable. */
  readonly where: string;
  readonly message: string;
}

/** More than anybody fixes in one go; keeps an error of a wholly wrong file readable. */
const MAX_SHOWN = 40;

export function problemsText(problems: readonly Problem[]): string {
  // A parser stumbles over one mistake more than once.
  const all = [...new Set(problems.map(({ where, message }) => `${where}: ${message}`))];
  const lines = all.slice(0, MAX_SHOWN);
  if (all.length > MAX_SHOWN) lines.push(`and ${all.length - MAX_SHOWN} more`);
  return lines.join('\n');
}

/** One error for all problems found, so that nobody has to fix them one by one. */
export const configInvalid = (problems: readonly Problem[]): AppError =>
  new AppError('config_invalid', problemsText(problems));
