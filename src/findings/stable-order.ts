/** Numbers 0 to count - 1 in an order that is made by one key after the other, the least important first. */
export interface StableOrder {
  /** @param digits By item, not by position. Items with equal ones stay as they are: one pass over all of them. */
  sortBy(digits: Uint16Array): void;
  /** The items in their order; holds until the next `sortBy`. */
  items(): Uint32Array;
}

const DIGITS = 1 << 16;

/** A radix sort whose passes the caller spreads over time, so that a million items never stop the event loop for long. */
export function createStableOrder(count: number): StableOrder {
  let items = new Uint32Array(count).map((_, index) => index);
  let spare = new Uint32Array(count);
  const starts = new Uint32Array(DIGITS);
  return {
    sortBy(digits) {
      starts.fill(0);
      for (let item = 0; item < count; item += 1) starts[digits[item] ?? 0] = (starts[digits[item] ?? 0] ?? 0) + 1;
      let before = 0;
      for (let digit = 0; digit < DIGITS; digit += 1) {
        const here = starts[digit] ?? 0;
        starts[digit] = before;
        before += here;
      }
      for (let position = 0; position < count; position += 1) {
        const item = items[position] ?? 0;
        const digit = digits[item] ?? 0;
        const to = starts[digit] ?? 0;
        spare[to] = item;
        starts[digit] = to + 1;
      }
      [items, spare] = [spare, items];
    },
    items: () => items,
  };
}

/**
 * Puts neighbours that are equal in what they were sorted by into their full order, in place.
 * @param isEqual Of two items that stand side by side.
 */
export function sortWithinEqual(
  items: Uint32Array,
  isEqual: (a: number, b: number) => boolean,
  compare: (a: number, b: number) => number,
): void {
  let start = 0;
  for (let end = 1; end <= items.length; end += 1) {
    if (end < items.length && isEqual(items[start] ?? 0, items[end] ?? 0)) continue;
    if (end - start > 1) sortUnlessSorted(items.subarray(start, end), compare);
    start = end;
  }
}

/** A report that says one thing a million times over has nothing to sort. */
function sortUnlessSorted(items: Uint32Array, compare: (a: number, b: number) => number): void {
  const isSorted = items.every((item, index) => index === 0 || compare(items[index - 1] ?? 0, item) <= 0);
  if (!isSorted) items.sort(compare);
}
