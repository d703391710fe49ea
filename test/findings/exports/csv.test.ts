import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { csv, CSV_COLUMNS, withoutFormulas } from '../../../src/findings/exports/csv.ts';
import { bestCvss } from '../../../src/model/finding.ts';
import type { ExportSource } from '../../../src/findings/exports/source.ts';
import { anySource, finding, HOSTILE, hostile, sourceOf, written } from './sources.ts';

const Rows = z.array(z.record(z.string(), z.string()));
const textOf = (source: ExportSource): string => written(csv(source, ''));
const rowsOf = (source: ExportSource) => Rows.parse(parse(textOf(source), { columns: true, record_delimiter: '\r\n' }));

/** As docs/exports.md says. */
const restored = (cell: string): string => cell.replace(/(?<=(?:^|[,;|\t\r\n])[ "]*)'/g, '');

/** What a spreadsheet that separates by any of these would take for the beginning of a cell. */
const cellStarts = (text: string): string[] => text.split(/[,;|\t\r\n]/).map((part) => part.replace(/^[ "]*/, ''));

describe('the CSV export', () => {
  it('has one row per finding and says what it says, whatever the report said', () => {
    fc.assert(
      fc.property(anySource, (source) => {
        const rows = rowsOf(source);
        const expected = [...source.findings()].map(({ findingId, rule, occurrence, suppression }) => ({
          engine: 'baseline',
          finding_id: findingId,
          title: rule.title,
          severity: rule.severity,
          cvss_score: String(bestCvss(rule) ?? ''),
          epss: String(rule.epss ?? ''),
          kev: String(rule.kev),
          cves: rule.cves.join(' '),
          description: rule.description ?? '',
          url: occurrence.location.url ?? '',
          port: String(occurrence.location.port ?? ''),
          untrusted_output: occurrence.untrusted.output ?? '',
          suppression_reason: suppression?.reason ?? '',
        }));
        const back = rows.map((row) =>
          Object.fromEntries(Object.entries(row).map(([key, cell]) => [key, restored(cell)])),
        );
        expect(back).toMatchObject(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('cuts a cell that is longer than a spreadsheet takes, and counts what is left out', () => {
    const [, row = ''] = textOf(sourceOf([finding({ untrusted: { output: 'x'.repeat(100_000) } })])).split('\r\n');
    const [cell = ''] = /"(x[^"]*)"/.exec(row)?.slice(1) ?? [];
    expect(cell.length).toBeLessThanOrEqual(32_767);
    expect(cell.slice(-40)).toMatch(/^x+… \(67283 characters left out\)$/);
  });

  it('has the documented columns, commas, CRLF and no byte order mark', () => {
    const text = textOf(sourceOf([finding()]));
    const [heading, row, rest] = text.split('\r\n');
    expect(heading).toBe(CSV_COLUMNS.join(','));
    expect(heading?.startsWith('engine,severity,title,')).toBe(true);
    expect(row).toContain('"10.0.0.1:443/tcp"');
    expect(rest).toBe('');
    expect(textOf(sourceOf([]))).toBe(`${CSV_COLUMNS.join(',')}\r\n`);
  });

  it.each([
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t'=1"],
    ['  =1', "  '=1"],
    ['a;=1', "a;'=1"],
    ['a, "=1', `a, "'=1`],
    ['a\n=1', "a\n'=1"],
    ['＝1', "'＝1"],
    ["'quoted'", "''quoted'"],
    ['a=1 - b', 'a=1 - b'],
    ['10.0.0.1-5', '10.0.0.1-5'],
  ])('writes %j as %j', (text, expected) => {
    expect(withoutFormulas(text)).toBe(expected);
  });

  it('leaves no cell that begins a formula, with whatever separator it is read, and loses nothing', () => {
    const nasty = fc.string({ unit: fc.constantFrom(...Array.from('=+-@\t\n,;|"\' aé＝1')), maxLength: 40 });
    fc.assert(
      fc.property(nasty, (text) => {
        const safe = withoutFormulas(text);
        expect(restored(safe)).toBe(text);
        for (const start of cellStarts(safe)) expect(start).not.toMatch(/^[=+\-@＝＋－＠]/);
      }),
      { numRuns: 2_000 },
    );
    const line = textOf(sourceOf([hostile()])).split('\r\n')[1] ?? '';
    for (const start of cellStarts(line.slice(line.indexOf(',')))) expect(start).not.toMatch(/^[=+@＝＋－＠]/);
    expect(restored(rowsOf(sourceOf([hostile()]))[0]?.['title'] ?? '')).toBe(
      HOSTILE.replaceAll('\n', ' ').replace('\u{202e}', '\\u{202e}').trim(),
    );
  });
});
