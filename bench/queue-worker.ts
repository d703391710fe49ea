// One worker process of the bench `queue`: tells its parent when each job starts and ends, on the clock that all
// processes of the machine share.
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import type { Claim } from '../src/queue/queue.ts';
import { noCoverage } from '../src/model/coverage.ts';
import { noSeverities } from '../src/model/finding.ts';
import { hostAndPort, NAMES, openOurs, type WorkerSettings } from './queue-sides.ts';

const settings: WorkerSettings = JSON.parse(process.argv[2] ?? '');
const { side, url, jobMs, lanes, slots } = settings;

async function work(id: string, instance: string): Promise<void> {
  const startedAt = process.hrtime.bigint();
  if (jobMs > 0) await delay(jobMs);
  process.send?.({ id, instance, startedAt: String(startedAt), endedAt: String(process.hrtime.bigint()) });
}

/** As src/worker does it: claim while there is something, then wait for work or for an own end. */
async function ours(): Promise<void> {
  const queue = await openOurs(url);
  const worker = `bench-worker-${process.pid}`;
  await queue.heartbeat(worker);
  setInterval(() => void queue.heartbeat(worker), 5_000);
  const running = new Set<Promise<void>>();
  let ended = new AbortController();
  const run = async (claim: Claim): Promise<void> => {
    await work(claim.scan.scanId, claim.instance);
    const coverage = noCoverage(1);
    const result = {
      verdict: 'not_tested',
      coverage,
      findings: 0,
      by_severity: noSeverities(),
      artefacts: [],
    } as const;
    await queue.finish(claim, { kind: 'completed', result: { ...result, artefacts: [] } });
  };
  process.send?.('ready');
  for (;;) {
    ended = new AbortController();
    while (running.size < lanes) {
      const claim = await queue.claim(worker, slots);
      if (!claim) break;
      const done = run(claim).then(() => {
        running.delete(done);
        ended.abort();
      });
      running.add(done);
    }
    await queue.waitForWork(ended.signal, 1_000);
  }
}

async function bullmq(): Promise<void> {
  const worker = new Worker<{ scanId: string }>(NAMES.bullmq, ({ data }) => work(data.scanId, 'any'), {
    connection: { ...hostAndPort(url), maxRetriesPerRequest: null },
    concurrency: lanes,
  });
  await worker.waitUntilReady();
  process.send?.('ready');
}

async function raw(): Promise<void> {
  const lane = async (): Promise<void> => {
    const redis = new Redis(url);
    for (;;) {
      const text = await redis.blmove(NAMES.raw, `${NAMES.raw}:running`, 'RIGHT', 'LEFT', 0);
      if (text === null) continue;
      const { scanId }: { scanId: string } = JSON.parse(text);
      await work(scanId, 'any');
      await redis.lrem(`${NAMES.raw}:running`, 1, text);
    }
  };
  process.send?.('ready');
  await Promise.all(Array.from({ length: lanes }, lane));
}

process.on('disconnect', () => process.exit());
await { ours, bullmq, raw }[side]();
