import { InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { AppError } from '../model/errors.ts';

/** Argument parser of commander for a whole number; the schema checks the bounds. */
export function wholeNumber(text: string): number {
  if (/^-\d+$/.test(text)) throw new InvalidArgumentError('It must be 0 or more.');
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

export function decimal(text: string): number {
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError('It must be a number.');
  return Number(text);
}

/** Splits `a,b` and collects repeats of the option. */
export const listOf = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text.split(',').filter((part) => part !== ''),
];

/** The option a person typed for a key of the schema. */
const OPTION_OF_KEY: Readonly<Record<string, string>> = {
  targets: '<targets...>',
  scan_id: '<scan_id>',
  finding_id: '<finding_id>',
  scanner_pool: '--pool',
  scanner_instance: '--instance',
  max_duration_minutes: '--max-duration',
  credential_ref: '--credential',
  severity_levels: '--severity',
  path: '<file>',
  expires_at: '--expires',
  head_scan_id: '<head_scan_id>',
  base_scan_id: '[base_scan_id]',
  base_before: '--before',
};

const optionOf = (key: PropertyKey | undefined): string =>
  key === undefined ? 'arguments' : (OPTION_OF_KEY[String(key)] ?? `--${String(key).replaceAll('_', '-')}`);

/**
 * What was typed, checked by the schema the tools use; keys without a value count as left out.
 * @throws AppError invalid_request in the words of the command line
 */
export function readInput<T>(schema: z.ZodType<T>, typed: Readonly<Record<string, unknown>>): T {
  const given = Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== undefined));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const told = parsed.error.issues.slice(0, 5).map(({ path, message }) => `${optionOf(path[0])}: ${message}.`);
  throw new AppError('invalid_request', told.join(' '), {
    hint: 'Correct it and run the command again; --help explains it.',
  });
}
