import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { baselineFormat } from '../../src/scanners/baseline/format.ts';
import { nmapFormat } from '../../src/scanners/nmap/format.ts';
import type { ReportFormat } from '../../src/scanners/report-format.ts';

async function read(format: ReportFormat, report: Buffer): Promise<{ events: ReportEvent[]; error: unknown }> {
  const events: ReportEvent[] = [];
  try {
    for await (const event of format.parse(Readable.from([report]))) events.push(event);
    return { events, error: undefined };
  } catch (error) {
    return { events, error };
  }
}

const BASELINE = [
  '{"scanmux_baseline":2,"intensity":"light","started_at":"2026-01-02T03:04:05.000Z"}',
  '{"kind":"place","place":{"place":"127.0.0.1","status":"tested"}}',
  '{"kind":"checks","looked_for":["http"],"not_looked_for":[]}',
  '{"end":true}',
].join('\n');

describe.each([
  ['nmap', nmapFormat, readFileSync(join(import.meta.dirname, '../fixtures/nmap/ssl.xml'))],
  ['baseline', baselineFormat, Buffer.from(`${BASELINE}\n`)],
] as const)('a file of %s', (_, format, whole) => {
  it('that is whole has its end', async () => {
    const { events, error } = await read(format, whole);
    expect(error).toBeUndefined();
    expect(events.at(-1)).toEqual({ kind: 'end' });
  });

  it('that is cut anywhere is refused with the place, after everything that was whole', async () => {
    const all = (await read(format, whole)).events.filter(({ kind }) => kind === 'finding');
    for (let part = 1; part < 20; part += 1) {
      const cut = whole.subarray(0, Math.floor(((whole.length - 20) * part) / 20));
      const { events, error } = await read(format, cut);
      expect(error, `${part}/20`).toBeInstanceOf(AppError);
      expect(error).toMatchObject({ code: 'report_unreadable', message: expect.stringMatching(/line \d+/) });
      const kept = JSON.stringify(events.filter(({ kind }) => kind === 'finding'));
      expect(JSON.stringify(all.slice(0, JSON.parse(kept).length))).toBe(kept);
      expect(events.some(({ kind }) => kind === 'end')).toBe(false);
    }
  });
});
