import { argumentsOf, type Argument } from './argument-schema.ts';
import type { AnyTool } from './tool.ts';

/**
 * Reads what sloppy clients mean, as far as the schema leaves no doubt: one string, or a string that holds a JSON array,
 * where a list is due; text where a number or a boolean is due, and the other way round; the values of an enum in any
 * case, or separated by commas; null for what is left out. Everything else is left for the schema to judge.
 */
export function lenient(tool: AnyTool, args: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const known = argumentsOf(tool);
  const read = Object.entries(args).flatMap(([key, value]) => {
    const argument = known.get(key);
    if (!argument) return [[key, value]];
    return value === null ? [] : [[key, readAs(argument, value)]];
  });
  return Object.fromEntries(read);
}

function readAs(argument: Argument, value: unknown): unknown {
  switch (argument.type) {
    case 'array':
      return readList(argument, value);
    case 'integer':
    case 'number':
      return typeof value === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : value;
    case 'boolean':
      return typeof value === 'string' ? readBoolean(value) : value;
    default:
      return readText(argument, value);
  }
}

function readList({ items }: Argument, value: unknown): unknown {
  const values = items?.enum;
  // A comma separates only where the values are known: in a target or the name of a check it may be a mistake.
  const split = (text: string): unknown[] => (values && text.includes(',') ? text.split(',') : [text]);
  const list = typeof value === 'string' ? (listIn(value) ?? split(value)) : value;
  return values && Array.isArray(list) ? list.map((item) => oneOf(values, item)) : list;
}

function readText({ enum: values, pattern }: Argument, value: unknown): unknown {
  if (values) return oneOf(values, value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return pattern === undefined ? value : joined(value, new RegExp(pattern));
}

/** [80, 443] and "80, 443" where 80,443 is due: only when the result is what the pattern asks for. */
function joined(value: unknown, pattern: RegExp): unknown {
  const list = typeof value === 'string' ? (listIn(value) ?? [value]) : value;
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'number' || typeof item === 'string')) return value;
  // Not replaced by a pattern with white space around a comma: that takes for ever on a megabyte of spaces.
  const items = list.join(',').split(',');
  const text = items.map((item) => item.trim()).join(',');
  return pattern.test(text) ? text : value;
}

function oneOf(values: readonly string[], value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const plain = value.trim().toLowerCase();
  return values.find((one) => one.toLowerCase() === plain) ?? value;
}

function readBoolean(text: string): unknown {
  const plain = text.trim().toLowerCase();
  return plain === 'true' ? true : plain === 'false' ? false : text;
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
