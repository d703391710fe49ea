import type { Suppression, Suppressions } from '../model/suppression.ts';

/** The judgements of a tenant as they were read, and what is in force of them for now. */
export interface Kept {
  /** Number of changes there had been. */
  readonly changes: number;
  readonly stored: readonly Suppression[];
  readonly madeAt: number;
  /** When the first of them expires. */
  readonly goodUntil: number;
  readonly answer: Suppressions;
}

export function asOf(entries: readonly Suppression[], changes: number, now: number): Kept {
  const live = entries.filter(({ expiresAt }) => expiresAt > now);
  const goodUntil = live.reduce((first, { expiresAt }) => Math.min(first, expiresAt), Infinity);
  // As long as nothing is changed, what is in force is told by which of them expires next.
  const version = live.length === 0 ? '' : `${changes}.${goodUntil}`;
  return { changes, stored: entries, madeAt: now, goodUntil, answer: { version, entries: live } };
}

/** A clock that was set back brings back what had expired. */
export const isCurrent = ({ madeAt, goodUntil }: Kept, now: number): boolean => madeAt <= now && now < goodUntil;
