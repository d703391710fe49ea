// Lets threads that write and read findings go while they are at work, two dozen times. Prints how many files are left.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist = ''] = process.argv.slice(2);
const load = (...path) => import(pathToFileURL(join(dist, ...path)).href);
const { ingest, INGEST_LIMITS } = await load('findings', 'ingest.js');
const { createThreadPool } = await load('findings', 'thread-pool.js');
const { Occurrence, RuleFacts } = await load('model', 'finding.js');
const { silentLog } = await load('platform', 'log.js');

const rule = RuleFacts.parse({ rule_id: 'rule', title: 'Weakness', severity: 'high', severity_source: 'rule' });
const occurrences = Array.from({ length: 2_000 }, (_, n) => {
  const location = { ip: `10.0.0.${n % 250}`, port: n % 60_000, protocol: 'tcp' };
  const untrusted = { output: `Some output ${n} `.repeat(40) };
  return { kind: 'occurrence', rule, occurrence: Occurrence.parse({ location, untrusted, discriminator: `${n}` }) };
});
/** As fast as it can, so that the thread is still at work when the report breaks off. */
async function* report(count, failure) {
  for (let n = 0; n < count; n += 1) yield occurrences[n % occurrences.length];
  if (failure) throw failure;
  yield { kind: 'end' };
}

const folder = await mkdtemp(join(tmpdir(), 'leave-threads-'));
const input = (events) => ({ scanId: 'scan_leave', epoch: 1, engine: 'nessus', folder, targets: [], events });
const writer = pathToFileURL(join(dist, 'findings', 'gather-thread.js'));
for (let round = 0; round < 16; round += 1) {
  const failure = new RangeError('a defect');
  await ingest(input(report(12_000 + round * 1_000, failure)), INGEST_LIMITS, silentLog, writer).catch(() => undefined);
}
const left = (await readdir(folder)).length;

const { artefact } = await ingest(input(report(20_000)), INGEST_LIMITS, silentLog, writer);
const file = join(folder, artefact.path);
const ref = { file, scanId: 'scan_leave' };
const query = { text: 'output', max_tokens: 4_000, sort: 'urgency', detail: 'full', group_by: 'none' };
for (let round = 0; round < 5; round += 1) {
  const limits = { maxOpenFiles: 4, maxColumnBytes: 1 << 26 };
  const program = pathToFileURL(join(dist, 'findings', 'thread.js'));
  const pool = createThreadPool({ count: 2, limits, log: silentLog, program });
  const suppressions = { version: 'none', entries: [] };
  const questions = [1, 2, 3].map(() => pool.run('query', { ref, query, suppressions }, { file }));
  const answers = Promise.allSettled(questions);
  await new Promise((resolve) => setTimeout(resolve, 30 + round * 5));
  await pool.close();
  await answers;
}
await rm(folder, { recursive: true });
console.log(JSON.stringify({ left }));
