import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReportEvent } from '../../../src/model/report.ts';
import { baselineType } from '../../../src/scanners/baseline/scanner.ts';
import { parseAll } from '../../contracts/scanner-contract.ts';

const scanner = baselineType.create(baselineType.settings.parse({}));
const header = '{"scanmux_baseline":1,"intensity":"light","started_at":"2026-01-01T00:00:00.000Z"}\n';
const finding = (fields: object = {}): string =>
  `${JSON.stringify({
    kind: 'finding',
    rule: 'open-redis',
    confidence: 'certain',
    location: { ip: '10.0.0.1', port: 6379 },
    untrusted: { output: 'redis_version:7' },
    ...fields,
  })}\n`;
const place = '{"kind":"place","place":{"place":"10.0.0.1","status":"tested"}}\n';
const end = '{"end":true}\n';

const kinds = (events: readonly ReportEvent[]): string[] => events.map(({ kind }) => kind);

describe('the parser of baseline reports', () => {
  it('takes title, severity and advice from the rule table', async () => {
    const [event] = await parseAll(scanner, `${header}${finding()}${end}`);
    expect(event).toMatchObject({
      kind: 'finding',
      finding: { rule_id: 'baseline:open-redis', severity: 'critical', severity_source: 'rule', cwes: ['CWE-306'] },
    });
  });

  it('gives every whole line of a report that was cut, and no end', async () => {
    const whole = `${header}${finding()}${place}`;
    expect(kinds(await parseAll(scanner, `${whole}${end.slice(0, -4)}`))).toEqual(['finding', 'place']);
    expect(kinds(await parseAll(scanner, whole))).toEqual(['finding', 'place']);
    expect(kinds(await parseAll(scanner, `${header}${finding()}${place.slice(0, 20)}`))).toEqual(['finding']);
  });

  it('gives an end only for reports that hold the whole last line', async () => {
    const report = `${header}${finding()}${place}${end}`;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: header.length, max: report.length - 2 }),
        fc.integer({ min: 1, max: 90 }),
        async (length, piece) => {
          expect(kinds(await parseAll(scanner, report.slice(0, length), piece))).not.toContain('end');
        },
      ),
      { numRuns: 60 },
    );
    expect(kinds(await parseAll(scanner, report)).at(-1)).toBe('end');
  });

  it('makes acting characters of a hostile report visible', async () => {
    const line = finding({
      untrusted: { output: '\u001b]0;x\u0007 https://evil.test' },
      location: { host: 'a\u202eb' },
    });
    const [event] = await parseAll(scanner, `${header}${line}${end}`);
    expect(event).toMatchObject({
      finding: { location: { host: 'a\\u{202e}b' }, untrusted: { output: '\\u{1b}]0;x\\u{7} hxxps://evil.test' } },
    });
  });

  it.each([
    ['a severity of its own', finding({ severity: 'info' })],
    ['a port that is none', finding({ location: { port: 70_000 } })],
    ['a list', '[]\n'],
    ['an empty line', '\n'],
  ])('refuses a line with %s and names it', async (_, line) => {
    await expect(parseAll(scanner, `${header}${place}${line}${end}`)).rejects.toMatchObject({
      code: 'report_unreadable',
      message: expect.stringContaining('line 3'),
    });
  });

  it('never fails with anything but a coded refusal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const report = Buffer.concat([Buffer.from(header), bytes]);
        await parseAll(scanner, report).catch((error: unknown) =>
          expect(error).toMatchObject({ code: 'report_unreadable' }),
        );
      }),
      { numRuns: 200 },
    );
  });
});
