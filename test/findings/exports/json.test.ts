import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { json, jsonLines } from '../../../src/findings/exports/json.ts';
import { Coverage, Place, Verdict } from '../../../src/model/coverage.ts';
import { BySeverity } from '../../../src/model/finding.ts';
import {
  NativeEndLine,
  NativeFindingLine,
  NativeHeader,
  NativePlaceLine,
  NativeScopeLine,
} from '../../../src/model/native.ts';
import type { ExportedFinding } from '../../../src/findings/exports/source.ts';
import { anySource, HEADER, PLACES, sourceOf, written } from './sources.ts';

const Report = z.strictObject({
  summary: z.string(),
  scan: NativeHeader.shape.scan,
  engine: z.string(),
  source: NativeHeader.shape.source,
  verdict: Verdict,
  coverage: Coverage,
  filtered: z.array(z.string()),
  total: z.int(),
  by_severity: BySeverity,
  total_unfiltered: z.int(),
  suppressed: z.strictObject({ by_severity: BySeverity }),
  places: z.array(Place),
  findings: z.array(NativeFindingLine),
});

const expectedLine = ({ findingId, fingerprint, rule, occurrence, suppression }: ExportedFinding) => ({
  finding_id: findingId,
  fingerprint,
  engine: 'baseline',
  ...rule,
  ...occurrence,
  ...(suppression && { suppression }),
});

describe('the JSON export', () => {
  it('is one object with the scan, what was looked at, and every finding in full', () => {
    fc.assert(
      fc.property(anySource, (source) => {
        const report = Report.parse(JSON.parse(written(json(source, ''))));
        expect(report.findings).toEqual([...source.findings()].map(expectedLine));
        expect(report).toMatchObject({
          summary: HEADER.summary,
          verdict: 'partial',
          coverage: HEADER.coverage,
          total: source.counts.total,
          by_severity: source.counts.bySeverity,
          places: PLACES,
        });
      }),
      { numRuns: 40 },
    );
  });
});

describe('the JSONL export', () => {
  it('is the lines that import_report reads, with every finding in full', () => {
    fc.assert(
      fc.property(anySource, (source) => {
        const lines = written(jsonLines(source, ''))
          .trimEnd()
          .split('\n')
          .map((line): unknown => JSON.parse(line));
        expect(NativeHeader.parse(lines[0])).toMatchObject({ engine: 'baseline', scan: HEADER.scan, whole: true });
        const places = lines.slice(1, 1 + PLACES.length).map((line) => NativePlaceLine.parse(line).place);
        expect(places).toEqual(PLACES);
        NativeScopeLine.parse(lines[1 + PLACES.length]);
        const findings = lines.slice(2 + PLACES.length, -1).map((line) => NativeFindingLine.parse(line));
        expect(findings).toEqual([...source.findings()].map(expectedLine));
        expect(NativeEndLine.parse(lines.at(-1)).findings).toBe(findings.length);
      }),
      { numRuns: 40 },
    );
  });

  it('has no scopes when one is longer than a line may be', () => {
    const rules = Array.from({ length: 60_000 }, () => 'x'.repeat(150));
    const source = { ...sourceOf([]), scopes: () => [{ tcpPorts: '80' }, { rules }] };
    const lines = written(jsonLines(source, '')).trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('{"scope"'))).toEqual([]);
  });

  it('ends with an end line also when there is nothing', () => {
    expect(
      written(jsonLines(sourceOf([]), ''))
        .trimEnd()
        .split('\n')
        .at(-1),
    ).toBe('{"end":true,"findings":0}');
  });
});
