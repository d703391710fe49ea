// Runs the benches that are named, or all of them, and prints one table. `--quick` does a little of everything, to see that it
// runs. Exit code 1: no such bench. A missed target is a figure, not a failure: see docs/performance.md.
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { compareScans } from './compare.ts';
import { coldStart } from './cold-start.ts';
import { durableSubmit } from './durable-submit.ts';
import { exports } from './export.ts';
import { floors } from './floors.ts';
import { httpLoad } from './http-load.ts';
import { isolation } from './isolation.ts';
import { queries } from './queries.ts';
import { nessusImport } from './nessus-import.ts';
import { nucleiLines } from './nuclei-lines.ts';
import { ingest } from './ingest.ts';
import { queueOnRedis } from './queue.ts';
import { resultsPage } from './results-page.ts';
import { sse } from './sse.ts';
import { statusCall } from './status-call.ts';
import { submitToStart } from './submit-to-start.ts';
import { save, tableText, type Line } from './table.ts';

const BENCHES: ReadonlyMap<string, Bench> = new Map([
  ['floors', floors],
  ['status-call', statusCall],
  ['durable-submit', durableSubmit],
  ['submit-to-start', submitToStart],
  ['queue', queueOnRedis],
  ['cold-start', coldStart],
  ['results-page', resultsPage],
  ['ingest', ingest],
  ['export', exports],
  ['compare', compareScans],
  ['queries', queries],
  ['nuclei-lines', nucleiLines],
  ['nessus-import', nessusImport],
  ['http-load', httpLoad],
  ['isolation', isolation],
  ['sse', sse],
]);

const argv = process.argv.slice(2);
const size = argv.includes('--quick') ? 'quick' : 'full';
const asked = argv.filter((word) => !word.startsWith('--'));
const unknown = asked.filter((name) => !BENCHES.has(name));
if (unknown.length > 0) {
  console.error(`No bench ${unknown.join(', ')}; there are: ${[...BENCHES.keys()].join(', ')}`);
  process.exit(1);
}

const out = join(process.cwd(), 'bench', 'out');
const all: Line[] = [];
for (const [name, bench] of BENCHES) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stderr.write(`${name} ...\n`);
  const lines = await bench(size);
  if (size === 'full') save(out, name, lines);
  all.push(...lines);
}
if (size === 'full' && asked.length === 0) save(out, 'all', all);
console.log(tableText(all));
