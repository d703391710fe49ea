// Reads one .nessus report and says what it took: `xml` (the elements alone), `parse`, or `ingest` (a findings file). One
// line of JSON: milliseconds of the work without the start of the program, findings, and the most memory the program had.
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFindingsStore } from '../src/findings/findings-store.ts';
import { readXml } from '../src/platform/xml.ts';
import type { XmlHandlers } from '../src/platform/xml-reader.ts';
import { nessusFormat } from '../src/scanners/nessus/format.ts';

const [work = 'parse', file = ''] = process.argv.slice(2);
const report = () => createReadStream(file, { highWaterMark: 1 << 20 });

async function parse(): Promise<number> {
  let findings = 0;
  for await (const { kind } of nessusFormat.parse(report())) if (kind === 'occurrence') findings += 1;
  return findings;
}

async function countElements(): Promise<number> {
  let items = 0;
  const handlers: XmlHandlers = {
    open: (name) => {
      if (name === 'ReportItem') items += 1;
    },
  };
  for await (const _ of readXml(report(), () => handlers, { what: 'Nessus report' })) items += 0;
  return items;
}

async function ingest(folder: string): Promise<number> {
  // As the programs of users have it.
  const store = createFindingsStore({ threads: 1 });
  const events = nessusFormat.parse(report());
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
  const findings = work === 'ingest' ? await ingest(folder) : work === 'xml' ? await countElements() : await parse();
  const ms = performance.now() - startedAt;
  const cpuMs = (process.cpuUsage(cpu).user + process.cpuUsage(cpu).system) / 1_000;
  console.log(JSON.stringify({ ms, cpuMs, findings, peakMb: process.resourceUsage().maxRSS / 1_024 }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
