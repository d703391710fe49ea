import type { ScanRecord } from '../model/scan.ts';

const MIN_SECONDS = 2;
const MAX_SECONDS = 900;

/** When to look again: a tenth of the scan's age, so that a long scan costs few calls; 2 s to 15 min. */
export function pollAfterSeconds(scan: Pick<ScanRecord, 'createdAt'>, now: number): number {
  const ageSeconds = Math.max(0, now - scan.createdAt) / 1000;
  return Math.round(Math.min(Math.max(ageSeconds / 10, MIN_SECONDS), MAX_SECONDS));
}
