import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { systemClock } from '../src/platform/clock.ts';
import type { NewScan, ScanQueue } from '../src/queue/queue.ts';
import { clientOptions } from '../src/queue/redis/client-options.ts';
import { openRedisQueue } from '../src/queue/redis/queue.ts';
import type { Size } from './bench.ts';
import { newScan } from './seeded-queue.ts';

/** Each way to queue has a name of its own in one Redis. */
export const NAMES = { ours: 'bench-ours', bullmq: 'bench-bullmq', raw: 'bench-raw' } as const;
export type SideName = keyof typeof NAMES;

/** What a worker process of a side is started with, as JSON. */
export interface WorkerSettings {
  readonly side: SideName;
  readonly url: string;
  /** How long a job takes. */
  readonly jobMs: number;
  /** Jobs at a time in this process. */
  readonly lanes: number;
  /** Only ours knows instances. */
  readonly slots: readonly { readonly pool: string; readonly instance: string; readonly limit: number }[];
}

/** One way to queue, seen by who submits. */
export interface QueueSide {
  readonly name: SideName;
  readonly submit: (scan: NewScan) => Promise<unknown>;
  close(): Promise<void>;
}

export async function openOurs(url: string): Promise<ScanQueue> {
  const { queue } = await openRedisQueue({
    connect: (purpose) => new Redis(url, clientOptions(purpose)),
    prefix: NAMES.ours,
    clock: systemClock,
    settings: { idempotencyHours: 48, queuedExpiryHours: 168 },
    durability: 'reply',
  });
  return queue;
}

async function ours(url: string): Promise<QueueSide> {
  const queue = await openOurs(url);
  return { name: 'ours', submit: (scan) => queue.submit(scan), close: () => queue.close() };
}

export const hostAndPort = (url: string) => ({ host: new URL(url).hostname, port: Number(new URL(url).port) });

/** As its documentation shows it: add, with the scan as data. At most 6 at a time over all workers, for drains. */
async function bullmq(url: string): Promise<QueueSide> {
  const queue = new Queue(NAMES.bullmq, { connection: hostAndPort(url) });
  await queue.setGlobalConcurrency(6);
  return { name: 'bullmq', submit: (scan) => queue.add('scan', scan), close: () => queue.close() };
}

/** The least: a list, no record, nothing said about who may run what. */
function raw(url: string): Promise<QueueSide> {
  const redis = new Redis(url);
  const submit = (scan: NewScan): Promise<unknown> => redis.lpush(NAMES.raw, JSON.stringify(scan));
  const close = (): Promise<void> => Promise.resolve(redis.disconnect());
  return Promise.resolve({ name: 'raw', submit, close });
}

export const openSides = async (url: string) => ({
  ours: await ours(url),
  bullmq: await bullmq(url),
  raw: await raw(url),
});
export type Sides = Awaited<ReturnType<typeof openSides>>;

export async function closeSides(sides: Sides): Promise<void> {
  for (const side of Object.values(sides)) await side.close();
}

let made = 0;
/** No two alike, or they would be one scan. */
export const nextScan = (): NewScan => newScan((made += 1));

export const isFull = (size: Size): boolean => size === 'full';
