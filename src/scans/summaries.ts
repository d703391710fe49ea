import type { WaitingFor } from '../model/contract/status.ts';
import type { Coverage, Verdict } from '../model/coverage.ts';
import type { BySeverity } from '../model/finding.ts';
import { isFinal, type ScanOrigin, type ScanRecord } from '../model/scan.ts';
import type { Submitted } from '../queue/queue.ts';
import { rawTally, sumOf, type Tally } from './tally.ts';

/** Sentences for agents. They hold our own words and numbers only: nothing a target or a caller wrote. */

const WAITING: Readonly<Record<WaitingFor, string>> = {
  worker: 'waits for a worker to start',
  slot: 'waits for a free slot of its pool',
  scanner: 'waits for its scanner, which cannot start scans now',
  retry: 'waits for its next try',
  none: 'is being worked on',
};

/** @param idle Why no scanner of its pool can start it now, if so. */
export function submittedSummary(scan: ScanRecord, deduplicated: Submitted['deduplicated'], idle?: string): string {
  return `${madeSummary(scan, deduplicated)}${idlePart(scan, idle)}`;
}

const idlePart = ({ state }: ScanRecord, idle: string | undefined): string =>
  idle === undefined || state === 'running'
    ? ''
    : ` But no scanner of its pool can start scans now: ${idle} It stays queued until one can; tell an operator.`;

function madeSummary(scan: ScanRecord, deduplicated: Submitted['deduplicated']): string {
  const next = isFinal(scan.state)
    ? 'Next: get_scan_results.'
    : 'Nothing has been looked at yet. Next: wait_for_scan; do not submit it again.';
  switch (deduplicated) {
    case 'idempotency_key':
      return `This key already started scan ${scan.scanId}, which is ${scan.state}; no new scan was made. ${isFinal(scan.state) ? next : 'Next: wait_for_scan.'}`;
    case 'live_twin':
      return `The same scan is already ${scan.state} as ${scan.scanId}; no new scan was made. Next: wait_for_scan.`;
    case false:
      return `Scan ${scan.scanId} is accepted and ${scan.state}. ${next}`;
  }
}

/** What an unfinished scan waits for, and why where that is known. */
export interface Waiting {
  readonly on: WaitingFor;
  readonly why?: string | undefined;
}

export function statusSummary(scan: ScanRecord, { on, why }: Waiting, tally: Tally = rawTally(scan)): string {
  if (isFinal(scan.state)) return `${ending(scan)} ${foundSummary(scan, tally)} ${nextAfterEnd(scan)}`.trim();
  if (scan.state === 'running') {
    const { progress } = scan;
    const done = progress
      ? `${Math.floor(progress.percent)} % done${progress.estimated ? ' (estimated)' : ''}, ${progress.findings_so_far} findings so far`
      : 'just started';
    if (on === 'worker')
      return `The scan stands still: ${done}. Its worker is gone; it goes on as soon as one runs. Next: wait_for_scan.`;
    return scan.cancelRequested
      ? 'The scan is being cancelled; the engine has not stopped yet. Next: wait_for_scan.'
      : `The scan is running: ${done}. Results come when it ends. Next: wait_for_scan.`;
  }
  const place = scan.position === undefined ? '' : ` at position ${scan.position}`;
  return `The scan is ${scan.state}${place} and ${on === 'worker' && why !== undefined ? `waits for a worker: ${why}` : `${WAITING[on]}${whyPart(on, why)}`}. Nothing has been looked at yet. Next: wait_for_scan.`;
}

const whyPart = (on: WaitingFor, why: string | undefined): string =>
  on !== 'scanner' ? '' : why === undefined ? ' (list_scanners says why)' : `: ${why.replace(/\.$/, '')}`;

function nextAfterEnd({ result }: ScanRecord): string {
  if (!result) return '';
  if (result.findings > 0) return 'Next: get_scan_results.';
  return result.verdict === 'complete'
    ? 'Next: read coverage before calling anything clean.'
    : 'Next: get_scan_results says under untested why.';
}

function ending({ state, error, origin }: ScanRecord): string {
  if (origin === 'imported') return 'The scan was made elsewhere and its report imported.';
  switch (state) {
    case 'completed':
      return 'The scan ended.';
    case 'cancelled':
      return 'The scan was cancelled.';
    case 'timed_out':
      return 'The scan ran out of time.';
    default:
      return `The scan failed (${error?.code ?? 'internal_error'}).`;
  }
}

/** What was looked at, what was found, and what a zero means. */
export function foundSummary(
  { result, origin = 'run' }: Pick<ScanRecord, 'result'> & { readonly origin?: ScanOrigin },
  tally: Tally = rawTally(result ? { result } : {}),
): string {
  if (!result) return 'Nothing was looked at: this is not a clean result.';
  const looked = lookedAt(result.verdict, result.coverage, origin);
  if (result.verdict === 'not_tested' && result.findings === 0) return looked;
  const found = tally.findings > 0 ? counts(tally.findings, tally.bySeverity) : nothingFound(result.coverage, origin);
  const skipped =
    result.coverage.not_looked_for.length > 0 ? ' coverage.not_looked_for says what was not checked.' : '';
  const told = result.findings > 0 && tally.findings === 0 ? '' : found;
  return `${looked} ${told}${suppressedPart(tally)}${skipped}`;
}

/** Suppressed findings are still there: nobody may take a scan for clean because of them. */
function suppressedPart({ findings, suppressed }: Tally): string {
  const hidden = sumOf(suppressed);
  if (hidden === 0) return '';
  const which = findings === 0 ? `All its findings (${hidden}) are` : ` ${hidden} more ${hidden === 1 ? 'is' : 'are'}`;
  return `${which} suppressed and not counted; include_suppressed shows them.`;
}

/** What a report takes back is a finding all the same: whoever counts must know. @param count Of all findings. */
export const withdrawnPart = (count: number): string =>
  count === 0
    ? ''
    : ` The report itself withdrew ${count} of all its findings (suppressed, false positive or absent): see report_state.`;

/** @param origin Whose word it is which places there were: the caller's, or the report's. */
export function lookedAt(verdict: Verdict, coverage: Coverage, origin: ScanOrigin = 'run'): string {
  if (origin === 'imported' && coverage.requested === 0) {
    return verdict === 'not_tested'
      ? 'The report names nothing that was looked at: this is not a clean result.'
      : 'The picture is partial: the report says what was found, but not what was looked at.';
  }
  const places = origin === 'imported' ? 'the report speaks of' : 'asked for';
  const { requested, unreachable, not_tested: untested } = coverage;
  if (verdict === 'not_tested') {
    const why = listed([unreachable, 'unreachable'], [untested, 'not tested']);
    const which = requested === 1 ? `The one place ${places}` : `None of the ${requested} places ${places}`;
    return `${which} could ${requested === 1 ? 'not ' : ''}be looked at (${why}): this is not a clean result.`;
  }
  if (verdict === 'complete') {
    const which = requested === 1 ? `The one place ${places} was` : `All ${requested} places ${places} were`;
    return `${which} looked at.${origin === 'imported' ? ' What it leaves out is not known.' : ''}`;
  }
  return partialPicture(coverage, origin);
}

function partialPicture(coverage: Coverage, origin: ScanOrigin): string {
  const { requested, tested, partial, unreachable, not_tested: untested } = coverage;
  const missing = listed([partial, 'only partly'], [unreachable, 'unreachable'], [untested, 'not tested']);
  if (missing !== '') {
    return `The picture is partial: ${tested} of ${requested} ${requested === 1 ? 'place' : 'places'} ${tested === 1 || requested === 1 ? 'was' : 'were'} fully looked at (${missing}).`;
  }
  return origin === 'imported'
    ? 'The picture is partial: nothing says that the report is whole and its scan ran to its end.'
    : 'The picture is partial: the scan did not run to its end.';
}

const listed = (...counted: readonly (readonly [number, string])[]): string =>
  counted.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])).join(', ');

/** A zero is worth as much as what ran. */
function nothingFound({ looked_for: lookedFor }: Coverage, origin: ScanOrigin): string {
  if (origin === 'imported' && lookedFor.length === 0) return 'The report holds no findings.';
  const kinds = lookedFor.length === 1 ? '1 kind of check' : `${lookedFor.length} kinds of check`;
  return `No findings from the ${kinds} that ran (coverage.looked_for).`;
}

function counts(total: number, by: BySeverity): string {
  const parts = (['critical', 'high', 'medium', 'low', 'info'] as const).flatMap((severity) =>
    by[severity] > 0 ? [`${by[severity]} ${severity}`] : [],
  );
  return `${total} finding${total === 1 ? '' : 's'}: ${parts.join(', ')}.`;
}
