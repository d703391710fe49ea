import { setImmediate as yieldToOthers } from 'node:timers/promises';

const SLICE = 2_000;

/** Many things in parts; the rest of the process has its turn between two of them. */
export async function* inSlices<T>(items: Iterable<T>): AsyncGenerator<readonly T[]> {
  let slice: T[] = [];
  for (const item of items) {
    slice.push(item);
    if (slice.length < SLICE) continue;
    yield slice;
    slice = [];
    await yieldToOthers();
  }
  if (slice.length > 0) yield slice;
}
