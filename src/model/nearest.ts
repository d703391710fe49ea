/** Edits (insert, delete, replace, swap of neighbours) between two short words: optimal string alignment distance. */
export function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = nextRow(a, b, row, { last, beforeLast });
    beforeLast = last;
    last = current;
  }
  return last.at(-1) ?? 0;
}

interface Rows {
  readonly last: readonly number[];
  readonly beforeLast: readonly number[];
}

function nextRow(a: string, b: string, row: number, { last, beforeLast }: Rows): number[] {
  const at = (numbers: readonly number[], column: number): number => numbers[column] ?? Number.POSITIVE_INFINITY;
  const current = [row];
  for (let column = 1; column <= b.length; column += 1) {
    const replaced = at(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
    const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
    const swapped = isSwap ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY;
    current.push(Math.min(replaced, at(last, column) + 1, at(current, column - 1) + 1, swapped));
  }
  return current;
}

/** The candidate that was most likely meant; undefined when none is near. Long words are not compared: they are no typo. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const limit = Math.max(2, Math.floor(word.length / 3));
  const plain = (text: string): string => text.toLowerCase().replaceAll('-', '_');
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(plain(word), plain(candidate)) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}
