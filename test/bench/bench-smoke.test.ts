import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const BENCHES = [
  'floors',
  'status-call',
  'durable-submit',
  'submit-to-start',
  'queue',
  'cold-start',
  'results-page',
  'ingest',
  'export',
  'compare',
  'queries',
  'nuclei-lines',
  'nessus-import',
  'http-load',
  'isolation',
  'sse',
];

describe('the benches', () => {
  // Half a minute on an idle machine.
  it('all run, and print a ratio for every line', { timeout: 400_000 }, async () => {
    const argv = [join('scripts', 'bench.mjs'), '--quick'];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, argv);
    expect(stderr.match(/^[a-z-]+ \.\.\.$/gm)).toEqual(BENCHES.map((name) => `${name} ...`));
    const lines = stdout.trim().split('\n');
    const [head = '', ...rows] = lines.slice(lines.findIndex((line) => line.startsWith('what ')));
    expect(rows.length).toBeGreaterThan(BENCHES.length);
    const at = head.indexOf('ratio');
    for (const row of rows) expect(Number(row.slice(at).trimStart().split(' ')[0]), row).toBeGreaterThan(0);
  });
});
