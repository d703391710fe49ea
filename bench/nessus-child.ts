// Reads one .nessus report and says what it took: `parse` only, or `ingest` (a findings file that can be searched). One
// line of JSON: milliseconds of the work without the start of the program, findings, and the most memory the program had.
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFindingsStore } from '../src/findings/findings-store.ts';
import { nessusFormat } from '../src/scanners/nessus/format.ts';

const [work = 'parse', file = ''] = process.argv.slice(2);

async function parse(): Promise<number> {
  let findings = 0;
  for await (const { kind } of nessusFormat.parse(createReadStream(file, { highWaterMark: 1 << 20 })))
    if (kind === 'occurrence') findings += 1;
  return findings;
}

async function ingest(folder: string): Promise<number> {
  const store = createFindingsStore();
  const events = nessusFormat.parse(createReadStream(file, { highWaterMark: 1 << 20 }));
  const input = { scanId: 'scan_bench', epoch: 1, engine: 'nessus', folder, targets: 'as_reported', events } as const;
  const { findings, readError } = await store.ingest(input);
  await store.close();
  if (readError) throw readError;
  return findings;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-nessus-'));
try {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const findings = work === 'parse' ? await parse() : await ingest(folder);
  const ms = performance.now() - startedAt;
  const cpuMs = (process.cpuUsage(cpu).user + process.cpuUsage(cpu).system) / 1_000;
  console.log(JSON.stringify({ ms, cpuMs, findings, peakMb: process.resourceUsage().maxRSS / 1_024 }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
