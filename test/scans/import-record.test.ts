import { AGENT_SCOPES } from '../../src/model/caller.ts';
import { describe, expect, it } from 'vitest';
import { noCoverage, type Coverage, type Place } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import type { ReportSource } from '../../src/model/report.ts';
import type { Ingested } from '../../src/findings/findings.ts';
import { AppError } from '../../src/model/errors.ts';
import { importRecord } from '../../src/scans/import-record.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
const artefact = { kind: 'findings', path: '1/f.db', bytes: 1, sha256: 'f' } as const;

const record = (over: Partial<Ingested> = {}, places: readonly Place[] = [], name?: string) =>
  importRecord({
    scanId: 'scan_00000000000000000000',
    ask: {
      caller: { tenant: 't', name: 'x', isOperator: false, scopes: AGENT_SCOPES },
      traceId: '1'.repeat(32),
      signal: new AbortController().signal,
    },
    ingested: {
      artefact,
      coverage: noCoverage(0),
      findings: 0,
      bySeverity: noSeverities(),
      ended: true,
      source: {},
      ...over,
    },
    hosts: [],
    looked: { engine: 'nessus', places, scopes: [] },
    raw: { ...artefact, kind: 'raw_report' },
    name,
    requestHash: 'h',
    now: NOW,
  });

const seen = (parts: Partial<Coverage>): Coverage => ({ ...noCoverage(0), ...parts });
const readError = new AppError('report_unreadable', 'line 3');

describe('the verdict of an import', () => {
  it.each<[string, Partial<Ingested>, string]>([
    ['every place was looked at', { coverage: seen({ requested: 2, tested: 2 }) }, 'complete'],
    ['one place was not', { coverage: seen({ requested: 2, tested: 1, unreachable: 1 }) }, 'partial'],
    ['the report has no end', { coverage: seen({ requested: 2, tested: 2 }), ended: false }, 'partial'],
    ['it is cut short', { coverage: seen({ requested: 2, tested: 2 }), readError }, 'partial'],
    ['only findings say that somebody looked', { findings: 3 }, 'partial'],
    ['only findings name hosts', { coverage: seen({ requested: 2, partial: 2 }), findings: 3 }, 'partial'],
    ['nothing was reached', { coverage: seen({ requested: 2, unreachable: 2 }) }, 'not_tested'],
    ['it says nothing at all', {}, 'not_tested'],
  ])('when %s: %o', (_, over, verdict) => {
    expect(record(over).result.verdict).toBe(verdict);
  });
});

describe('the times of an import', () => {
  const times = (source: ReportSource) => {
    const { startedAt, finishedAt } = record({ source });
    return { startedAt, finishedAt };
  };

  it('are those of the report, as far as it says', () => {
    expect(times({ startedAt: NOW - 3 * DAY, finishedAt: NOW - 2 * DAY })).toEqual({
      startedAt: NOW - 3 * DAY,
      finishedAt: NOW - 2 * DAY,
    });
    expect(times({ startedAt: NOW - DAY })).toEqual({ startedAt: NOW - DAY, finishedAt: NOW - DAY });
    expect(times({})).toEqual({ startedAt: undefined, finishedAt: NOW });
  });

  it('never lie in the future, before 1970 or the wrong way round', () => {
    expect(times({ startedAt: NOW + DAY, finishedAt: NOW + 2 * DAY })).toEqual({
      startedAt: undefined,
      finishedAt: NOW,
    });
    for (const at of [0, -1, Number.NaN, Infinity, 1.5]) {
      expect(times({ startedAt: at, finishedAt: at })).toEqual({ startedAt: undefined, finishedAt: NOW });
    }
    expect(times({ startedAt: NOW - DAY, finishedAt: NOW - 2 * DAY })).toEqual({
      startedAt: undefined,
      finishedAt: NOW - 2 * DAY,
    });
  });
});

describe('an import', () => {
  it('is authenticated when the report proves a login anywhere', () => {
    const place = (login?: Place['login']): Place => ({ place: 'a', status: 'tested', ...(login ? { login } : {}) });
    const access = (...places: readonly Place[]) => record({}, places).request.access;
    expect([access(), access(place()), access(place('failed'))]).toEqual(['untrusted', 'untrusted', 'untrusted']);
    expect([access(place(), place('success')), access(place('partial'))]).toEqual(['authenticated', 'authenticated']);
  });

  it('has a cleaned name of bounded length, or none', () => {
    expect(record({}, [], `a\nb\u001b${'x'.repeat(500)}`).name).toMatch(/^a b\\u\{1b\}x+…$/);
    expect(record()).not.toHaveProperty('name');
  });
});
