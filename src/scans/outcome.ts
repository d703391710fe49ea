import { noCoverage, type Coverage, type Verdict } from '../model/coverage.ts';
import type { ScanRecord } from '../model/scan.ts';
import { readTarget } from './read-target.ts';

type Ended = Pick<ScanRecord, 'request' | 'result'>;

/** How far a scan that has ended looked. Without a result nobody looked: it was cancelled in the queue, or failed before. */
export const verdictOfScan = ({ result }: Pick<Ended, 'result'>): Verdict => result?.verdict ?? 'not_tested';

/** What it looked at. Where nobody looked, the places are those that were asked for: a network counts by its addresses. */
export const coverageOfScan = ({ request, result }: Ended): Coverage =>
  result?.coverage ?? noCoverage(request.targets.reduce((sum, text) => sum + placesIn(text), 0));

function placesIn(text: string): number {
  const target = readTarget(text);
  return target?.kind === 'network' ? target.size : 1;
}
