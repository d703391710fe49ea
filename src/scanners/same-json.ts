import { isObject, type JsonObject } from './json-fields.ts';

/** Deeper than anything tools write about a check. */
const MAX_DEPTH = 6;

/** Whether two parsed values are equal; false for what is nested too deep to be worth a look. */
export function sameJson(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b) return true;
  if (depth > MAX_DEPTH) return false;
  if (isObject(a)) return isObject(b) && sameMembers(a, b, depth);
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += 1) if (!sameJson(a[at], b[at], depth + 1)) return false;
  return true;
}

/** `for in` makes no list of the keys, which is most of the cost here: parsed objects inherit nothing it would find. */
function sameMembers(a: JsonObject, b: JsonObject, depth: number): boolean {
  let more = 0;
  for (const key in a) {
    if (!Object.hasOwn(b, key) || !sameJson(a[key], b[key], depth + 1)) return false;
    more += 1;
  }
  for (const _key in b) more -= 1;
  return more === 0;
}
