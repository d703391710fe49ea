import type { ImportAnswer } from '../model/contract/imports.ts';
import { noCoverage } from '../model/coverage.ts';
import type { ScanRecord } from '../model/scan.ts';
import { cleanLine } from '../model/untrusted.ts';
import { foundSummary, withdrawnPart } from './summaries.ts';
import { sumOf, type Tally } from './tally.ts';
import { isoTime } from './time.ts';

interface Import {
  readonly deduplicated: boolean;
  readonly tally: Tally;
  /** Findings that the report itself took back. */
  readonly withdrawn: number;
  readonly format: string;
  /** Where the report became unreadable. */
  readonly cutAt: string | undefined;
}

export function importAnswer(scan: ScanRecord, made: Import): ImportAnswer {
  const { scanId, traceId, origin, state, engine, result } = scan;
  const { deduplicated, tally, format, cutAt } = made;
  return {
    summary: summary(scan, made),
    scan_id: scanId,
    trace_id: traceId,
    origin,
    state,
    verdict: result?.verdict ?? 'not_tested',
    coverage: result?.coverage ?? noCoverage(0),
    format,
    engine,
    total: tally.findings,
    by_severity: tally.bySeverity,
    suppressed: sumOf(tally.suppressed),
    deduplicated,
    ...(cutAt === undefined ? {} : { cut_at: cleanLine(cutAt, 500) }),
  };
}

function summary(scan: ScanRecord, { deduplicated, tally, withdrawn, format, cutAt }: Import): string {
  const what = deduplicated
    ? `The same report was imported at ${isoTime(scan.createdAt)} as scan ${scan.scanId}; no new scan was made.`
    : `The ${format} report is imported as scan ${scan.scanId}.`;
  const cut = cutAt === undefined ? '' : ' Not all of it could be read (cut_at says where); what could be was kept.';
  const next = tally.findings > 0 ? ' Next: get_scan_results.' : '';
  return `${what}${cut} ${foundSummary(scan, tally)}${withdrawnPart(withdrawn)}${next}`;
}
