import type { z } from 'zod';
import { AppError } from '../model/errors.ts';
import { nearest, nearestName } from '../model/nearest.ts';
import { argumentsOf, type Argument } from './argument-schema.ts';
import { rule, typeRule } from './argument-rules.ts';
import type { AnyTool } from './tool.ts';

/** Mistakes one answer tells; the rest shows when these are corrected. */
const TOLD = 5;

/**
 * A schema failure in the words of the caller: which argument, what it must be, the nearest right name.
 * @param error made with `reportInput`, which tells what is missing from what is wrong
 */
export function argumentError(tool: AnyTool, error: z.ZodError): AppError {
  const known = argumentsOf(tool);
  const names = [...known.keys()];
  const missing = error.issues.filter(isMissing).map(({ path }) => String(path[0]));
  const unknown = error.issues
    .flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []))
    .map((key) => ({ key, near: nearestName(key, missing) ?? nearestName(key, names) }));
  // A missing argument that was given under another name is one mistake, not two.
  const misnamed = new Set(unknown.map(({ near }) => near));
  const told = error.issues
    .filter((issue) => issue.code !== 'unrecognized_keys')
    .filter((issue) => !(isMissing(issue) && misnamed.has(String(issue.path[0]))))
    .slice(0, TOLD)
    .map((issue) => sentence(issue, known));
  if (unknown.length > 0) told.push(unknownArguments(unknown, names));
  return new AppError('invalid_request', told.join(' '));
}

const isMissing = ({ path, input }: z.core.$ZodIssue): boolean => path.length === 1 && input === undefined;

function sentence(issue: z.core.$ZodIssue, known: ReadonlyMap<string, Argument>): string {
  const [name, ...inner] = issue.path;
  const place = [String(name), ...inner.map((part) => `[${String(part)}]`)].join('');
  if (isMissing(issue)) return `${place} is missing.`;
  const argument = known.get(String(name));
  const part = inner.length === 0 ? argument : argument?.items;
  const words = `${place} ${part ? must(issue, part) : issue.message}`;
  return words.endsWith('?') ? words : `${words}.`;
}

function must(issue: z.core.$ZodIssue, part: Argument): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeRule(part)}`;
    case 'too_small':
    case 'too_big':
    case 'invalid_format':
      return `must be ${rule(part)}`;
    case 'invalid_value': {
      const meant = typeof issue.input === 'string' ? nearest(issue.input, part.enum ?? []) : undefined;
      return `must be ${typeRule(part)}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
    }
    default:
      return issue.message;
  }
}

interface UnknownArgument {
  readonly key: string;
  readonly near: string | undefined;
}

function unknownArguments(unknown: readonly UnknownArgument[], names: readonly string[]): string {
  const shown = unknown.slice(0, TOLD).map(({ key, near }) => ({ name: JSON.stringify(key.slice(0, 60)), near }));
  const told = shown.map(({ name, near }) =>
    near === undefined ? `Unknown argument ${name}.` : `Unknown argument ${name}; did you mean ${near}?`,
  );
  const more = unknown.length > TOLD ? [`And ${unknown.length - TOLD} more unknown arguments.`] : [];
  const known = shown.some(({ near }) => near === undefined) ? [knownArguments(names)] : [];
  return [...told, ...more, ...known].join(' ');
}

const knownArguments = (names: readonly string[]): string =>
  names.length === 0 ? 'It takes none.' : `Known: ${names.join(', ')}.`;
