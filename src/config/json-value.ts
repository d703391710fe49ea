/** Path to a place in plain JSON: keys and array positions. */
export type JsonPath = readonly (string | number)[];

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is at `path`; undefined when there is no such place. */
export function valueAt(value: unknown, path: JsonPath): unknown {
  let found: unknown = value;
  for (const step of path) {
    if (Array.isArray(found) && typeof step === 'number') found = found[step];
    else if (isRecord(found) && Object.hasOwn(found, step)) found = found[step];
    else return undefined;
  }
  return found;
}

/**
 * A copy of `value` with `replacement` at `path`. Missing objects on the way are made; anything else on the way
 * (a number where an object is due) is left as it is, for the schema to refuse.
 */
export function withValueAt(value: unknown, path: JsonPath, replacement: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return replacement;
  if (Array.isArray(value)) {
    return value.map((item, index) => (index === step ? withValueAt(item, rest, replacement) : item));
  }
  if (value !== undefined && !isRecord(value)) return value;
  return { ...value, [step]: withValueAt(value?.[step], rest, replacement) };
}

/** Drops keys without a value: a section whose keys are all commented out is `null` in YAML and means "not set". */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key, withoutNulls(item)]),
  );
}

/** `pool[0].url` for `['pool', 0, 'url']`. */
export const pathText = (path: JsonPath): string =>
  path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
