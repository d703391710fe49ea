import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newScanId, newTraceId } from '../src/model/ids.ts';
import { requestHash, type ScanRequest } from '../src/model/scan.ts';
import { systemClock } from '../src/platform/clock.ts';
import { openDatabase } from '../src/platform/sqlite.ts';
import type { NewScan } from '../src/queue/queue.ts';
import { createSqliteQueue } from '../src/queue/sqlite/queue.ts';

// Durable submits, one at a time, against the least a durable insert can cost: one row, one commit, same settings.
// Both take turns in rounds, so that a slow moment of the disk meets both. Target: ratio >= 0.6.
const ROUNDS = 20;
const PER_ROUND = 200;

const folder = mkdtempSync(join(tmpdir(), 'scanmux-bench-'));
const raw = openDatabase(join(folder, 'raw.db'));
raw.exec('CREATE TABLE jobs (id INTEGER PRIMARY KEY, scan TEXT NOT NULL); PRAGMA wal_autocheckpoint = 4000');
const queue = await createSqliteQueue({
  folder,
  clock: systemClock,
  settings: { idempotencyHours: 48, queuedExpiryHours: 168, reserveBytes: 0 },
});

function newScan(n: number): NewScan {
  const request: ScanRequest = {
    access: 'untrusted',
    targets: [`10.0.${n >> 8}.${n & 255}`],
    pool: 'nmap',
    intensity: 'standard',
    priority: 5,
    max_duration_minutes: 60,
  };
  const ids = { scanId: newScanId(), traceId: newTraceId(), tenant: 'local', engine: 'nmap' };
  return { ...ids, request, requestHash: requestHash(request) };
}

const insert = raw.prepare('INSERT INTO jobs (scan) VALUES (?)');
const gets: number[] = [];
let rawMs = 0;
let submitMs = 0;
for (let round = 0; round < ROUNDS; round++) {
  const scans = Array.from({ length: PER_ROUND }, (_, n) => newScan(round * PER_ROUND + n));
  let start = performance.now();
  for (const scan of scans) raw.writeNow(() => insert.run(JSON.stringify(scan)));
  rawMs += performance.now() - start;
  start = performance.now();
  for (const scan of scans) await queue.submit(scan);
  submitMs += performance.now() - start;
  start = performance.now();
  for (const scan of scans) await queue.get('local', scan.scanId);
  gets.push((performance.now() - start) / PER_ROUND);
}

const total = ROUNDS * PER_ROUND;
const perSecond = (ms: number): number => Math.round((total / ms) * 1_000);
const getMicroseconds = Math.round((gets.toSorted((a, b) => a - b)[ROUNDS / 2] ?? 0) * 1_000);
console.log(
  JSON.stringify({
    bench: 'queue-submit',
    raw_commits_per_second: perSecond(rawMs),
    submits_per_second: perSecond(submitMs),
    ratio: Number((rawMs / submitMs).toFixed(2)),
    target: 0.6,
    get_queued_us: getMicroseconds,
  }),
);
await queue.close();
raw.close();
rmSync(folder, { recursive: true, force: true });
