/** An object of a report; nothing about its fields is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

const NOTHING: JsonObject = {};

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Tools write `null`, `""` or leave a field out where they have nothing to say; all are an empty object here. */
export const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : NOTHING);

/** Text that says something. Numbers and booleans are read as text, since tools differ in what they quote. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** A finite number, also one that is written as text. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.length > 64 || !/^\s*[+-]?\d+(\.\d+)?(e[+-]?\d+)?\s*$/i.test(value))
    return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** A whole number in a range, else nothing. */
export function wholeOf(value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const number = numberOf(value);
  return number !== undefined && Number.isInteger(number) && number >= min && number <= max ? number : undefined;
}

/** What a table has for a word of a report: nothing for one that every object knows, such as `constructor`. */
export const wordIn = <Value>(table: Readonly<Record<string, Value>>, word: string): Value | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined;

/** A list; a single value where a list is due is a list of one. */
export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null || value === '' ? [] : [value];
}

/** The texts of a list, without repeats, at most `max`. */
export function textsOf(value: unknown, max: number): string[] {
  const texts = new Set<string>();
  for (const element of listOf(value)) {
    const text = textOf(element);
    if (text !== undefined) texts.add(text);
    if (texts.size === max) break;
  }
  return [...texts];
}

/** Leaves out what is undefined, as `exactOptionalPropertyTypes` wants it. */
export function defined<Fields extends Record<string, unknown>>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  const kept: { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } = {};
  for (const key in fields) {
    const value = fields[key];
    if (isPresent(value)) kept[key] = value;
  }
  return kept;
}

const isPresent = <Value>(value: Value): value is Exclude<Value, undefined> => value !== undefined;

/** Epoch milliseconds of a date. One without a time zone is read as UTC, so that every machine reads the same. */
export function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length > 64) return undefined;
  const hasZone = /(?:Z|[+-]\d{2}:?\d{2}|UTC|GMT)$/.test(value);
  const time = Date.parse(hasZone || /^\d{4}-\d\d-\d\d$/.test(value) ? value : `${value}Z`);
  const utc = Number.isNaN(time) ? Date.parse(`${value} UTC`) : time;
  return utc > 0 ? utc : undefined;
}
