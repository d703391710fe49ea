import { setImmediate as yieldToOthers } from 'node:timers/promises';

const SLICE = 2_000;

/** A long list in parts; the rest of the process has its turn between two of them. */
export async function* inSlices<T>(items: readonly T[]): AsyncGenerator<readonly T[]> {
  for (let at = 0; at < items.length; at += SLICE) {
    yield at === 0 && items.length <= SLICE ? items : items.slice(at, at + SLICE);
    if (at + SLICE < items.length) await yieldToOthers();
  }
}
