import { AppError } from '../model/errors.ts';
import type { Target } from '../model/target.ts';
import { parseTarget } from '../policy/target.ts';

/** A target of a record; undefined for what is none: an imported report may be about an image or a folder. */
export function readTarget(text: string): Target | undefined {
  try {
    return parseTarget(text);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
