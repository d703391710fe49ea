import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
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
  it('all run, and print a ratio for every line', { timeout: 120_000 }, () => {
    const argv = [join('scripts', 'bench.mjs'), '--quick'];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
    expect(stderr.match(/^[a-z-]+ \.\.\.$/gm)).toEqual(BENCHES.map((name) => `${name} ...`));
    expect(status, stderr).toBe(0);
    const lines = stdout.trim().split('\n');
    const [head = '', ...rows] = lines.slice(lines.findIndex((line) => line.startsWith('what ')));
    expect(rows.length).toBeGreaterThan(BENCHES.length);
    const at = head.indexOf('ratio');
    for (const row of rows) expect(Number(row.slice(at).trimStart().split(' ')[0]), row).toBeGreaterThan(0);
  });
});
