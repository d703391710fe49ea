/** Deeper than anything tools write about a check. */
const MAX_DEPTH = 6;

/** Whether two parsed values are equal; false for what is nested too deep to be worth a look. */
export function sameJson(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || depth > MAX_DEPTH) return false;
  return Array.isArray(a) ? sameElements(a, b, depth) : sameMembers(a, b, depth);
}

function sameElements(a: readonly unknown[], b: object, depth: number): boolean {
  if (!Array.isArray(b) || a.length !== b.length) return false;
  return a.every((element, at) => sameJson(element, b[at], depth + 1));
}

function sameMembers(a: object, b: object, depth: number): boolean {
  if (Array.isArray(b)) return false;
  const members = Object.entries(a);
  const others = Object.entries(b);
  if (members.length !== others.length) return false;
  // The same program writes them in the same order; another order only costs that they are taken for different.
  return members.every(([key, value], at) => others[at]?.[0] === key && sameJson(value, others[at]?.[1], depth + 1));
}
