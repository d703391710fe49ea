import { describe, expect, it } from 'vitest';
import { noCoverage, type Coverage, type Verdict } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import type { ScanRecord } from '../../src/model/scan.ts';
import { foundSummary, lookedAt, statusSummary, submittedSummary } from '../../src/scans/summaries.ts';
import { troubleshooting } from '../../src/scans/troubleshooting.ts';

const coverage = (parts: Partial<Coverage>): Coverage => ({ ...noCoverage(0), not_tested: 0, ...parts });

const result = (verdict: Verdict, findings: number, parts: Partial<Coverage>): Pick<ScanRecord, 'result'> => ({
  result: {
    verdict,
    coverage: coverage(parts),
    findings,
    by_severity: { ...noSeverities(), high: findings },
    artefacts: [],
  },
});

const SCAN: ScanRecord = {
  scanId: 'scan_00000000000000000000',
  tenant: 'local',
  traceId: '0'.repeat(32),
  request: {
    access: 'untrusted',
    targets: ['a'],
    pool: 'p',
    intensity: 'light',
    priority: 5,
    max_duration_minutes: 60,
  },
  requestHash: '',
  engine: 'e',
  origin: 'run',
  state: 'completed',
  epoch: 1,
  attempt: 1,
  createdAt: 0,
  cancelRequested: false,
};

describe('what was looked at', () => {
  it.each<[Verdict, Partial<Coverage>, string]>([
    ['complete', { requested: 1, tested: 1 }, 'The one place asked for was looked at.'],
    ['complete', { requested: 3, tested: 3 }, 'All 3 places asked for were looked at.'],
    [
      'not_tested',
      { requested: 1, unreachable: 1 },
      'The one place asked for could not be looked at (1 unreachable): this is not a clean result.',
    ],
    [
      'not_tested',
      { requested: 3, unreachable: 1, not_tested: 2 },
      'None of the 3 places asked for could be looked at (1 unreachable, 2 not tested): this is not a clean result.',
    ],
    [
      'partial',
      { requested: 1, partial: 1 },
      'The picture is partial: 0 of 1 place was fully looked at (1 only partly).',
    ],
    [
      'partial',
      { requested: 3, tested: 1, partial: 1, unreachable: 1 },
      'The picture is partial: 1 of 3 places was fully looked at (1 only partly, 1 unreachable).',
    ],
    ['partial', { requested: 1, tested: 1 }, 'The picture is partial: the scan did not run to its end.'],
  ])('is told in plain words: %s %o', (verdict, parts, sentence) => {
    expect(lookedAt(verdict, coverage(parts))).toBe(sentence);
  });

  it('never makes no findings sound clean where nothing was looked at', () => {
    expect(foundSummary({})).toMatch(/not a clean result/);
    expect(foundSummary(result('not_tested', 0, { requested: 2, unreachable: 2 }))).not.toMatch(/No findings/);
    expect(foundSummary(result('complete', 0, { requested: 2, tested: 2 }))).toMatch(
      /No findings from the 0 kinds of check that ran/,
    );
  });
});

describe('what an imported report says was looked at', () => {
  it.each<[Verdict, Partial<Coverage>, string]>([
    [
      'complete',
      { requested: 1, tested: 1 },
      'The one place the report speaks of was looked at. What it leaves out is not known.',
    ],
    [
      'complete',
      { requested: 3, tested: 3 },
      'All 3 places the report speaks of were looked at. What it leaves out is not known.',
    ],
    [
      'not_tested',
      { requested: 2, unreachable: 2 },
      'None of the 2 places the report speaks of could be looked at (2 unreachable): this is not a clean result.',
    ],
    ['not_tested', {}, 'The report names nothing that was looked at: this is not a clean result.'],
    ['partial', {}, 'The picture is partial: the report says what was found, but not what was looked at.'],
    [
      'partial',
      { requested: 2, tested: 2 },
      'The picture is partial: nothing says that the report is whole and its scan ran to its end.',
    ],
    [
      'partial',
      { requested: 2, tested: 1, partial: 1 },
      'The picture is partial: 1 of 2 places was fully looked at (1 only partly).',
    ],
  ])('is told as the word of the report: %s %o', (verdict, parts, sentence) => {
    expect(lookedAt(verdict, coverage(parts), 'imported')).toBe(sentence);
  });

  it('is no word about checks that it does not name', () => {
    const found = foundSummary({ ...result('complete', 0, { requested: 1, tested: 1 }), origin: 'imported' });
    expect(found).toMatch(/The report holds no findings\.$/);
    expect(
      statusSummary({ ...SCAN, origin: 'imported', ...result('complete', 0, { tested: 1 }) }, { on: 'none' }),
    ).toMatch(/^The scan was made elsewhere and its report imported\./);
  });
});

describe('suppressed findings', () => {
  const three = result('complete', 3, { requested: 1, tested: 1 });
  const tally = (findings: number, suppressed: number) => ({
    findings,
    bySeverity: { ...noSeverities(), high: findings },
    suppressed: { ...noSeverities(), high: suppressed },
  });

  it.each([
    [tally(3, 0), /looked at\. 3 findings: 3 high\.$/],
    [
      tally(2, 1),
      /looked at\. 2 findings: 2 high\. 1 more is suppressed and not counted; include_suppressed shows them\.$/,
    ],
    [tally(1, 2), /looked at\. 1 finding: 1 high\. 2 more are suppressed/],
    [tally(0, 3), /looked at\. All its findings \(3\) are suppressed and not counted/],
  ])('are told apart from the others: %o', (counted, sentence) => {
    expect(foundSummary(three, counted)).toMatch(sentence);
    expect(foundSummary(three, counted)).not.toMatch(/No findings/);
  });
});

describe('a finished scan', () => {
  it('says the next step, also when it found nothing because it missed something', () => {
    const next = (part: Partial<ScanRecord>): string => statusSummary({ ...SCAN, ...part }, { on: 'none' });
    expect(next(result('complete', 2, { requested: 1, tested: 1 }))).toMatch(
      /2 findings: 2 high\..*get_scan_results\.$/,
    );
    expect(next(result('partial', 0, { requested: 2, tested: 1, unreachable: 1 }))).toMatch(/untested why\.$/);
    expect(next(result('complete', 0, { requested: 1, tested: 1 }))).toMatch(
      /Next: read coverage before calling anything clean\.$/,
    );
    expect(next({ state: 'failed' })).toMatch(/^The scan failed \(internal_error\)\. Nothing was looked at/);
  });

  it('gives advice that fits what went wrong', () => {
    const unreachable = result('not_tested', 0, { requested: 1, unreachable: 1 });
    expect(troubleshooting({ ...SCAN, ...unreachable }).join(' ')).toMatch(/untested.*port is right/);
    expect(troubleshooting({ ...SCAN, state: 'timed_out' }).join(' ')).toMatch(/max_duration_minutes 60/);
    expect(troubleshooting({ ...SCAN, ...result('complete', 0, { requested: 1, tested: 1 }) })).toEqual([]);
  });
});

describe('an unfinished scan', () => {
  it('says what it waits for', () => {
    const queued: ScanRecord = { ...SCAN, state: 'queued', position: 2 };
    expect(statusSummary(queued, { on: 'slot' })).toMatch(/queued at position 2 and waits for a free slot/);
    expect(statusSummary(queued, { on: 'scanner' })).toMatch(/list_scanners says why/);
    expect(statusSummary(queued, { on: 'scanner', why: 'a: It is away.' })).toMatch(
      /cannot start scans now: a: It is away\. Nothing/,
    );
    expect(statusSummary({ ...SCAN, state: 'running', cancelRequested: true }, { on: 'none' })).toMatch(
      /being cancelled/,
    );
  });

  it('tells a submit that made no scan from one that did', () => {
    expect(submittedSummary({ ...SCAN, state: 'queued' }, false)).toMatch(/accepted.*do not submit it again/);
    expect(submittedSummary({ ...SCAN, state: 'running' }, 'live_twin')).toMatch(/no new scan was made/);
    expect(submittedSummary(SCAN, 'idempotency_key')).toMatch(/no new scan was made\. Next: get_scan_results\./);
  });
});
