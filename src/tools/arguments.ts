import { z } from 'zod';
import { AppError } from '../model/errors.ts';
import { nearest } from '../model/nearest.ts';
import { jsonSchema, type ObjectSchema, type PropertySchema } from './json-schema.ts';
import type { AnyTool } from './tool.ts';

const schemas = new Map<string, ObjectSchema>();

function inputSchema({ name, input }: AnyTool): ObjectSchema {
  const known = schemas.get(name);
  if (known) return known;
  const made = jsonSchema(input, 'input');
  schemas.set(name, made);
  return made;
}

/**
 * Reads what sloppy clients mean: one string (or a string that holds a JSON array) where a list is due, text where a
 * number or a boolean is due. Everything else is left for the schema to judge.
 */
export function lenient(tool: AnyTool, args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { properties } = inputSchema(tool);
  const read = Object.entries(args).flatMap(([key, value]) => {
    // Not `properties[key]`: a plain object has a "constructor", too.
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (value === null && schema) return [];
    return [[key, typeof value === 'string' ? readText(value, schema) : value]];
  });
  return Object.fromEntries(read);
}

function readText(text: string, schema: PropertySchema | undefined): unknown {
  switch (schema?.type) {
    case 'array':
      return listIn(text) ?? [text];
    case 'integer':
    case 'number':
      return /^\s*-?\d+(\.\d+)?\s*$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    default:
      return text;
  }
}

function listIn(text: string): unknown[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // "[::1]:80" starts like a list and is a target
  }
}

/** Mistakes one answer tells; the rest shows when these are corrected. */
const TOLD = 5;

/** A schema failure in the words of the caller: which argument, what is wrong, the nearest right name. */
export function argumentError(tool: AnyTool, error: z.ZodError): AppError {
  const names = Object.keys(inputSchema(tool).properties);
  const told = error.issues.slice(0, TOLD).map((issue) => sentence(issue, names));
  return new AppError('invalid_request', told.join(' '));
}

function sentence(issue: z.core.$ZodIssue, names: readonly string[]): string {
  if (issue.code === 'unrecognized_keys') {
    return unknownArguments(issue.keys, names);
  }
  const place = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : String(part)))
    .join('.')
    .replaceAll('.[', '[');
  return `${place || 'arguments'}: ${issue.message}.`;
}

function unknownArguments(keys: readonly string[], names: readonly string[]): string {
  const shown = keys
    .slice(0, TOLD)
    .map((key) => ({ name: JSON.stringify(key.slice(0, 60)), near: nearest(key, names) }));
  const told = shown.map(({ name, near }) =>
    near === undefined ? `Unknown argument ${name}.` : `Unknown argument ${name}; did you mean ${near}?`,
  );
  const more = keys.length > TOLD ? [`And ${keys.length - TOLD} more unknown arguments.`] : [];
  const known = shown.some(({ near }) => near === undefined) ? [`Known: ${names.join(', ')}.`] : [];
  return [...told, ...more, ...known].join(' ');
}
