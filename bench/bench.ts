import type { Comparison } from './harness.ts';
import type { Line } from './table.ts';

/** How much of everything is done: `full` for figures, `quick` to see that a bench still runs. */
export type Size = 'full' | 'quick';

export type Bench = (size: Size) => Promise<readonly Line[]>;

type Counts = Pick<Comparison, 'rounds' | 'perRound'> & { readonly warmUp?: number };

/** The counts of a size; `quick` says nothing about speed. */
export const counts = (size: Size, full: Counts): Counts =>
  size === 'full' ? full : { rounds: 2, perRound: Math.min(4, full.perRound), warmUp: 1 };
