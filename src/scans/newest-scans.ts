import type { LatestLook } from '../queue/scan-index.ts';
import type { AskedPlace } from './asked-place.ts';

/** A scan that is the newest at some place, and those places. */
export interface NewestScan {
  readonly scanId: string;
  readonly finishedAt: number;
  readonly order: number;
  readonly places: AskedPlace[];
}

type Age = Pick<LatestLook, 'finishedAt' | 'order'>;

/** Newest first; of those that finished at the same time, the one that was created last. */
export const byAge = (a: Age, b: Age): number => b.finishedAt - a.finishedAt || b.order - a.order;

/** Keeps the places of the newest scans only, while the looks of all come in any order. */
export function createNewestScans(most: number): {
  add(look: LatestLook, asked: AskedPlace): void;
  /** Newest first; at least `most` of them if there were so many. */
  newest(): readonly NewestScan[];
  /** Some were left out. */
  isCut(): boolean;
} {
  const byScan = new Map<string, NewestScan>();
  let oldest: Age | undefined;
  const sorted = (): NewestScan[] => [...byScan.values()].toSorted(byAge);
  const prune = (): void => {
    const scans = sorted();
    oldest = scans[most - 1];
    for (const { scanId } of scans.slice(most)) byScan.delete(scanId);
  };
  return {
    add({ scanId, finishedAt, order }, asked) {
      const known = byScan.get(scanId);
      if (known) known.places.push(asked);
      else if (oldest === undefined || byAge({ finishedAt, order }, oldest) < 0) {
        byScan.set(scanId, { scanId, finishedAt, order, places: [asked] });
        if (byScan.size > 2 * most) prune();
      }
    },
    newest: sorted,
    isCut: () => oldest !== undefined,
  };
}
