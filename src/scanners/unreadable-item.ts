import { z } from 'zod';
import type { JsonPart } from '../platform/json-stream.ts';
import { unreadableAt } from '../platform/utf8-chunks.ts';

export type ItemPlace = Pick<JsonPart, 'name' | 'index' | 'offset'>;

/**
 * Reads one item of a report; one that has not the shape of its format is `report_unreadable` and never left out
 * silently.
 * @param what For the message: `Trivy report`.
 * @throws AppError report_unreadable naming item (from 1) and byte
 */
export function readItem<Result>(
  what: string,
  { name, index, offset }: ItemPlace,
  read: () => Result | undefined,
): Result {
  let result: Result | undefined;
  let cause: unknown;
  try {
    result = read();
  } catch (error) {
    // A pattern that runs out of stack says RangeError.
    if (!(error instanceof z.ZodError || error instanceof RangeError)) throw error;
    cause = error;
  }
  if (result === undefined)
    throw unreadableAt(what, `has a ${name} that cannot be read, number ${index + 1},`, offset, cause);
  return result;
}
