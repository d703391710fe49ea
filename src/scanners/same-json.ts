/** Deeper than anything tools write about a check. */
const MAX_DEPTH = 6;

/** Whether two parsed values are equal; false for what is nested too deep to be worth a look. */
export function sameJson(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || depth > MAX_DEPTH) return false;
  return Array.isArray(a) ? sameElements(a, b, depth) : sameMembers(new Map(Object.entries(a)), b, depth);
}

function sameElements(a: readonly unknown[], b: object, depth: number): boolean {
  if (!Array.isArray(b) || a.length !== b.length) return false;
  return a.every((element, at) => sameJson(element, b[at], depth + 1));
}

function sameMembers(a: ReadonlyMap<string, unknown>, b: object, depth: number): boolean {
  if (Array.isArray(b)) return false;
  let count = 0;
  for (const [key, value] of Object.entries(b)) {
    if (!a.has(key) || !sameJson(a.get(key), value, depth + 1)) return false;
    count += 1;
  }
  return count === a.size;
}
