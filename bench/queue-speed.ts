import { setTimeout as delay } from 'node:timers/promises';
import type { Size } from './bench.ts';
import { counts } from './bench.ts';
import { compare, percentile, type Side } from './harness.ts';
import { startWorkers, type Job } from './queue-processes.ts';
import { isFull, nextScan, type QueueSide, type Sides, type WorkerSettings } from './queue-sides.ts';
import { lineOf, type Line } from './table.ts';

const LIMITS: Readonly<Record<string, number>> = { a: 3, b: 1, c: 2 };
const SLOTS = Object.entries(LIMITS).map(([instance, limit]) => ({ pool: 'baseline', instance, limit }));
const AT_ONCE = Object.values(LIMITS).reduce((sum, limit) => sum + limit, 0);
const JOB_MS = 100;
const WORKERS = 3;
/** Between two units, so that the workers have gone back to waiting. */
const IDLE_MS = 15;

const sideOf = ({ name, submit }: QueueSide): Side => ({
  name,
  async once() {
    await submit(nextScan());
  },
});

/** What is submitted is durable in all of them: Redis syncs before it answers. */
export async function submits({ ours, bullmq, raw }: Sides, size: Size): Promise<readonly Line[]> {
  const subject = sideOf(ours);
  const of = async (name: string, floor: QueueSide, concurrency: number) =>
    await compare({
      name,
      floor: sideOf(floor),
      subject,
      concurrency,
      ...counts(size, { rounds: 12, perRound: 300, warmUp: 300 }),
    });
  const alone = await of('Redis: submit, one at a time, against BullMQ add', bullmq, 1);
  return [
    lineOf(alone, 'perSecond', { of: 'ratio', atLeast: 0.6 }),
    lineOf(alone, 'p99'),
    lineOf(await of('Redis: submit, 64 in flight, against BullMQ add', bullmq, 64), 'perSecond'),
    lineOf(await of('Redis: submit, one at a time, against LPUSH', raw, 1), 'perSecond'),
  ];
}

const ms = (from: bigint, to: bigint): number => Number(to - from) / 1e6;

/** From the call of the submit to the start in a waiting process, one scan at a time; all sides in turns. */
export async function starts(url: string, sides: Sides, size: Size): Promise<readonly Line[]> {
  const all = Object.values(sides);
  const settings = { url, jobMs: 0, lanes: 1, slots: SLOTS };
  const workers = await Promise.all(all.map(({ name: side }) => startWorkers(1, { ...settings, side })));
  const waits = all.map((): number[] => []);
  const [warmUp, measured] = isFull(size) ? [50, 400] : [1, 4];
  for (let n = 0; n < warmUp + measured; n += 1) {
    for (const [index, side] of all.entries()) {
      await delay(IDLE_MS);
      const asked = process.hrtime.bigint();
      await side.submit(nextScan());
      const [job] = (await workers[index]?.next(1)) ?? [];
      if (job && n >= warmUp) waits[index]?.push(ms(asked, job.startedAt));
    }
  }
  for (const worker of workers) await worker.close();
  const of = (name: QueueSide['name'], share: number): number =>
    percentile(waits[all.findIndex((side) => side.name === name)] ?? [], share);
  const line = (floor: 'bullmq' | 'raw', measure: 'p50' | 'p99', target?: Line['target']): Line => {
    const [share, label] = [measure === 'p50' ? 0.5 : 0.99, floor === 'raw' ? 'LPUSH and BLMOVE' : 'BullMQ'];
    const figures = { floor: of(floor, share), ours: of('ours', share), ratio: of('ours', share) / of(floor, share) };
    return {
      what: `Redis: submit to start, idle worker, against ${label}`,
      measure,
      ...figures,
      ...(target && { target }),
    };
  };
  return [line('bullmq', 'p50', { of: 'ratio', atMost: 2 }), line('bullmq', 'p99'), line('raw', 'p50')];
}

/** Jobs per second from the first start to the last end. @throws Error when an instance ran more than it may */
function rateOf(jobs: readonly Job[], limits: Readonly<Record<string, number>>): number {
  for (const [instance, limit] of Object.entries(limits)) {
    const own = jobs.filter((job) => job.instance === instance);
    const peak = Math.max(0, ...own.map((job) => own.filter((other) => overlaps(other, job.startedAt)).length));
    if (peak > limit) throw new Error(`${instance} ran ${peak} scans at once`);
  }
  const first = jobs.reduce(
    (least, { startedAt }) => (startedAt < least ? startedAt : least),
    jobs[0]?.startedAt ?? 0n,
  );
  const last = jobs.reduce((most, { endedAt }) => (endedAt > most ? endedAt : most), 0n);
  return (jobs.length * 1_000) / ms(first, last);
}

const overlaps = (job: Job, at: bigint): boolean => job.startedAt <= at && at < job.endedAt;

/** Three processes empty a queue; only ours holds limits of instances, the others six at a time. */
async function drain(url: string, side: QueueSide, jobs: number): Promise<number> {
  for (let n = 0; n < jobs; n += 1) await side.submit(nextScan());
  // A raw loop has no limit but its lanes.
  const lanes = side.name === 'raw' ? AT_ONCE / WORKERS : AT_ONCE;
  const settings: WorkerSettings = { side: side.name, url, jobMs: JOB_MS, lanes, slots: SLOTS };
  const workers = await startWorkers(WORKERS, settings);
  const ended = await workers.next(jobs);
  // What has ended is told before it is written down.
  await delay(IDLE_MS * 10);
  await workers.close();
  return rateOf(ended, side.name === 'ours' ? LIMITS : {});
}

export async function drains(url: string, { ours, bullmq, raw }: Sides, size: Size): Promise<readonly Line[]> {
  const [rounds, jobs] = isFull(size) ? [3, 400] : [1, 12];
  const rates = { ours: [0], bullmq: [0], raw: [0] };
  for (const side of [ours, bullmq, raw]) rates[side.name].pop();
  for (let round = 0; round < rounds; round += 1) {
    for (const side of [ours, bullmq, raw]) rates[side.name].push(await drain(url, side, jobs));
  }
  const median = (values: readonly number[]): number => percentile(values, 0.5);
  const rate = median(rates.ours);
  const line = (against: string, floor: number, target?: Line['target']): Line => {
    const what = `Redis: drain, limits 3/1/2, ${JOB_MS} ms each, against ${against}`;
    return { what, measure: 'perSecond', floor, ours: rate, ratio: rate / floor, ...(target && { target }) };
  };
  return [
    line('the ideal', (AT_ONCE * 1_000) / JOB_MS, { of: 'ratio', atLeast: 0.85 }),
    line('BullMQ, 6 at a time', median(rates.bullmq)),
    line('BLMOVE, 6 lanes', median(rates.raw)),
  ];
}
