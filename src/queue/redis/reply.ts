import { AppError } from '../../model/errors.ts';

const unexpected = (): AppError => new AppError('internal_error', 'Redis gave an unexpected reply.');

/** A list; what is in it is looked at by the caller. */
export function listOf(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw unexpected();
  return reply;
}

export function textOf(reply: unknown): string {
  if (typeof reply !== 'string') throw unexpected();
  return reply;
}

/** Redis gives numbers of hashes and scores as text. */
export function numberOf(reply: unknown): number {
  const number = typeof reply === 'string' && reply !== '' ? Number(reply) : reply;
  if (typeof number !== 'number' || Number.isNaN(number)) throw unexpected();
  return number;
}

export const textsOf = (reply: unknown): readonly string[] => listOf(reply).map(textOf);
export const isNothing = (reply: unknown): boolean => reply === null || reply === undefined;

/** A flat list of names and values as a map. */
export function mapOf(reply: unknown): ReadonlyMap<string, string> {
  const flat = textsOf(reply);
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) map.set(flat[i] ?? '', flat[i + 1] ?? '');
  return map;
}
