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

const plain = (text: string): string => text.toLowerCase().replaceAll('-', '_');

/** The candidate that was most likely meant; undefined when none is near. Long words are not compared: they are no typo. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const limit = Math.max(2, Math.floor(word.length / 3));
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(plain(word), plain(candidate)) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/**
 * The name that was most likely meant: by a small slip, else one that shares its whole words (pool, scanner_pool), else
 * by a larger slip, else one that holds the word. Undefined when none is near.
 */
export function nearestName(word: string, candidates: readonly string[]): string | undefined {
  if (word.length === 0 || word.length > 64) return undefined;
  const ranked = candidates
    .map((candidate) => ({ candidate, rank: rankOf(plain(word), plain(candidate)) }))
    .filter(({ rank }) => rank < FAR)
    .sort((a, b) => a.rank - b.rank);
  return ranked[0]?.candidate;
}

/** Wider than any distance between words that are compared, so that one kind of nearness never outranks another. */
const STEP = 1_000;
const FAR = 4 * STEP;
/** Shorter parts are in too many words by chance. */
const MIN_PART = 3;

function rankOf(word: string, candidate: string): number {
  const distance = editDistance(word, candidate);
  if (distance <= Math.max(1, Math.floor(word.length / 4))) return distance;
  if (sharesWords(word, candidate)) return STEP + sharedRank(word, candidate);
  if (distance <= Math.max(2, Math.floor(word.length / 3))) return 2 * STEP + distance;
  if (word.length >= MIN_PART && candidate.includes(word)) return 3 * STEP + candidate.length;
  return FAR;
}

/** All words of the one are in the other. */
function sharesWords(a: string, b: string): boolean {
  const [few, many] = [a.split('_'), b.split('_')].toSorted((left, right) => left.length - right.length);
  return few !== undefined && many !== undefined && few.every((word) => word !== '' && many.includes(word));
}

/** The first word says most: severity is rather severity_levels than min_severity. */
const sharedRank = (a: string, b: string): number =>
  Math.abs(a.length - b.length) + (a.startsWith(b) || b.startsWith(a) ? 0 : STEP / 2);
