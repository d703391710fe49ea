import { z } from 'zod';
import { isRecord, valueAt, withValueAt, type JsonPath } from './json-value.ts';
import { nearest } from '../model/nearest.ts';

/** One thing a schema refuses. `path` names the key itself, also when it is unknown. */
export interface KeyIssue {
  readonly path: JsonPath;
  readonly message: string;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly KeyIssue[] };

/**
 * Parses with any schema; where it wants a number, a boolean or a list and finds its text, the text is read as one (a
 * list by comma). Variables are always text, so values that come from them could not fit otherwise.
 * @param moreKeys Further keys that are known at the top level, for suggestions.
 */
export function parseLenient<T>(schema: z.ZodType<T>, raw: unknown, moreKeys: readonly string[] = []): Parsed<T> {
  const strict = schema.safeParse(raw);
  if (strict.success) return { ok: true, value: strict.data };
  const result = schema.safeParse(strict.error.issues.reduce(readText, raw));
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, issues: result.error.issues.flatMap((issue) => keyIssues(issue, schema, moreKeys)) };
}

function readText(raw: unknown, issue: z.core.$ZodIssue): unknown {
  if (issue.code !== 'invalid_type') return raw;
  const path = jsonPath(issue.path);
  const text = valueAt(raw, path);
  if (typeof text !== 'string') return raw;
  if (issue.expected === 'number' && /^[+-]?\d+(\.\d+)?$/.test(text)) return withValueAt(raw, path, Number(text));
  if (issue.expected === 'boolean' && /^(true|false)$/i.test(text)) {
    return withValueAt(raw, path, text.toLowerCase() === 'true');
  }
  if (issue.expected === 'array')
    return withValueAt(
      raw,
      path,
      text.split(',').map((part) => part.trim()),
    );
  return raw;
}

const jsonPath = (path: readonly PropertyKey[]): JsonPath =>
  path.map((step) => (typeof step === 'symbol' ? step.toString() : step));

function keyIssues(issue: z.core.$ZodIssue, schema: z.ZodType, moreKeys: readonly string[]): KeyIssue[] {
  const path = jsonPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = [...keysAt(schema, path), ...(path.length === 0 ? moreKeys : [])];
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, known) }));
  }
  return [{ path, message: plainMessage(issue) }];
}

/** Sentence about a key nobody knows, with the one that was most likely meant. */
export function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  if (meant !== undefined) return `unknown key; did you mean ${meant}?`;
  return known.length > 0 ? `unknown key; the keys are ${known.join(', ')}` : 'unknown key';
}

function plainMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    if (issue.message.endsWith('received undefined')) return 'is missing';
    if (issue.expected === 'string') return 'must be text; put it in quotes';
  }
  return issue.message.replace(/^Invalid (input|option): /, '').replace(/^Too (big|small): /, '');
}

/** The JSON Schema of what may be written; parts that JSON Schema cannot say are `{}`. */
export const inputSchema = (schema: z.ZodType): z.core.JSONSchema.BaseSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });

function keysAt(schema: z.ZodType, path: JsonPath): string[] {
  let node: unknown = inputSchema(schema);
  for (const step of path) {
    node = typeof step === 'number' ? valueAt(node, ['items']) : valueAt(node, ['properties', step]);
  }
  const properties = valueAt(node, ['properties']);
  return isRecord(properties) ? Object.keys(properties) : [];
}
