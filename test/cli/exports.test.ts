import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nmapXml } from '../scans/nmap-xml.ts';
import { createPlace, runCommand, type Place } from './command-process.ts';

const Answer = z.object({
  path: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  findings: z.int(),
  media_type: z.string(),
});

describe('scanmux export', () => {
  let place: Place;
  let scan = '';
  beforeAll(async () => {
    place = createPlace();
    const report = join(place.folder, 'weekly.xml');
    writeFileSync(report, nmapXml([{ address: '127.0.0.1', ports: [22, 80, 443] }]));
    const { stdout } = await runCommand(place, ['import', report, '--json']);
    scan = z.object({ scan_id: z.string() }).parse(JSON.parse(stdout)).scan_id;
  });
  afterAll(() => place.clean());
  const run = (...argv: readonly string[]) => runCommand(place, ['export', scan, ...argv]);

  it('prints where the file is, and about it on stderr', async () => {
    const { code, stdout, stderr } = await run('--format', 'sarif');
    expect([code, stdout.trim().split('\n').length]).toEqual([0, 1]);
    expect(z.object({ version: z.string() }).parse(JSON.parse(readFileSync(stdout.trim(), 'utf8'))).version).toBe(
      '2.1.0',
    );
    expect(stderr).toMatch(/^3 findings exported as sarif\. .* \d+ bytes, SHA-256 [0-9a-f]{64}\.$/m);
    expect(stdout.startsWith(join(place.data, 'exports', scan))).toBe(true);
  });

  it('takes the filters of results, and prints JSON', async () => {
    const { code, stdout } = await run('--format', 'csv', '--port', '80', '--json');
    const made = Answer.parse(JSON.parse(stdout));
    expect([code, made.findings, made.media_type]).toEqual([0, 1, 'text/csv; charset=utf-8']);
    expect(createHash('sha256').update(readFileSync(made.path)).digest('hex')).toBe(made.sha256);
  });

  it('writes where it is told, for the owner only, and over nothing that is there', async () => {
    const out = join(place.folder, 'report.html');
    expect(await run('--format', 'html', '--out', out)).toMatchObject({ code: 0, stdout: `${out}\n` });
    expect(statSync(out).mode & 0o777).toBe(0o600);
    writeFileSync(out, 'mine');
    const refused = await run('--format', 'html', '--out', out);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('is there already; --force')]);
    expect(readFileSync(out, 'utf8')).toBe('mine');
    expect((await run('--format', 'html', '--out', out, '--force')).code).toBe(0);
    expect(readFileSync(out, 'utf8')).toMatch(/^<!doctype html>/);
    expect((await run('--format', 'html', '--out', join(place.folder, 'no', 'x'))).stderr).toContain('does not exist');
  });

  it('prints the file itself for -', async () => {
    const { code, stdout } = await run('--format', 'jsonl', '--out', '-');
    const lines = stdout.trimEnd().split('\n');
    expect([code, lines.at(-1)]).toEqual([0, '{"end":true,"findings":3}']);
  });

  it('names the formats when there is none of that name, and says what a scan that is not there is', async () => {
    const unknown = await run('--format', 'pdf');
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('cyclonedx_vex')]);
    expect((await runCommand(place, ['export', 'scan_00000000000000000000', '--format', 'csv'])).code).toBe(4);
  });
});
