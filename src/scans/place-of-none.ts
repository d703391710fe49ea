import type { ScanRecord } from '../model/scan.ts';
import { NOTHING_NAMED } from './import-targets.ts';

/** Stands for everything in reports without places (of code, for one), so that a later report takes its place. */
export const placeOfNone = (scan: ScanRecord): string => `(no hosts) ${subjectOf(scan)}`.slice(0, 500);

/** Reports that do not say what they are about are about the same when they are called the same and looked for the same. */
function subjectOf({ scanId, name, request: { targets }, result }: ScanRecord): string {
  if (targets.some((text) => text !== NOTHING_NAMED)) return targets.join(' ');
  return [name ?? scanId, ...(result?.coverage.looked_for ?? [])].join(' ');
}
