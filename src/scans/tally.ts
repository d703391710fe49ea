import { AppError } from '../model/errors.ts';
import { noSeverities, type BySeverity } from '../model/finding.ts';
import type { ScanRecord } from '../model/scan.ts';
import type { FindingQuery } from '../findings/findings.ts';
import type { ScanDeps } from './deps.ts';

/** Findings of a scan as they count now: what is suppressed is in `suppressed` alone. */
export interface Tally {
  readonly findings: number;
  readonly bySeverity: BySeverity;
  readonly suppressed: BySeverity;
}

export const sumOf = (by: BySeverity): number => Object.values(by).reduce((sum, n) => sum + n, 0);

/** Everything the scan found, before any judgement. */
export const rawTally = ({ result }: Pick<ScanRecord, 'result'>): Tally => ({
  findings: result?.findings ?? 0,
  bySeverity: result?.by_severity ?? noSeverities(),
  suppressed: noSeverities(),
});

/** Counts without looking at a single finding. */
export const COUNTS: FindingQuery = { group_by: 'severity', detail: 'minimal', sort: 'urgency', max_tokens: 500 };

const UNREADABLE: ReadonlySet<string> = new Set(['storage_unusable', 'storage_unavailable']);

/** Answers kept; all are dropped when there are more. */
const MOST_KEPT = 1_000;

export type CountFindings = (scan: ScanRecord) => Promise<Tally>;

/**
 * Counts the findings of a finished scan, suppressed ones apart. Gives the same object while nothing changes, as status
 * calls come often.
 */
export function createCountFindings({
  findings,
  files,
  suppressions,
}: Pick<ScanDeps, 'findings' | 'files' | 'suppressions'>): CountFindings {
  const raw = new WeakMap<ScanRecord, Tally>();
  const counted = new Map<string, Tally>();
  return async (scan) => {
    const inForce = await suppressions.inForce(scan.tenant);
    const file = files.findingsOf(scan);
    const plain = raw.get(scan) ?? rawTally(scan);
    raw.set(scan, plain);
    if (file === undefined || plain.findings === 0 || inForce.entries.length === 0) return plain;
    const key = `${inForce.version} ${file}`;
    const known = counted.get(key);
    if (known) return known;
    try {
      const page = await findings.query({ file, scanId: scan.scanId }, COUNTS, inForce);
      const made = { findings: page.total, bySeverity: page.bySeverity, suppressed: page.suppressed };
      if (counted.size >= MOST_KEPT) counted.clear();
      counted.set(key, made);
      return made;
    } catch (error) {
      // How a scan went can still be told when its findings cannot be read; whoever reads them is told why.
      if (error instanceof AppError && UNREADABLE.has(error.code)) return plain;
      throw error;
    }
  };
}

/** How many of its findings the report of a scan took back itself. */
export async function countWithdrawn(
  { findings, files }: Pick<ScanDeps, 'findings' | 'files'>,
  scan: ScanRecord,
): Promise<number> {
  const file = files.findingsOf(scan);
  return file === undefined ? 0 : (await findings.query({ file, scanId: scan.scanId }, COUNTS)).withdrawn;
}
