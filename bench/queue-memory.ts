import { Redis } from 'ioredis';
import { startRedis } from '../test/redis-server.ts';
import type { Size } from './bench.ts';
import { closeSides, isFull, nextScan, openSides, type QueueSide } from './queue-sides.ts';
import type { Line } from './table.ts';

const IN_FLIGHT = 200;

/** Bytes that Redis says it uses for each queued scan. */
async function bytesPerScan(url: string, side: QueueSide, scans: number): Promise<number> {
  const redis = new Redis(url);
  const used = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  const before = await used();
  for (let left = scans; left > 0; left -= IN_FLIGHT) {
    await Promise.all(Array.from({ length: Math.min(left, IN_FLIGHT) }, () => side.submit(nextScan())));
  }
  const after = await used();
  redis.disconnect();
  return (after - before) / scans;
}

export async function memory(size: Size): Promise<readonly Line[]> {
  const scans = isFull(size) ? 100_000 : 200;
  // What is on the disk does not matter here, and is faster without.
  const server = await startRedis({ args: ['--appendonly', 'no'] });
  const sides = await openSides(server.url);
  try {
    const [ours, bullmq, raw] = [
      await bytesPerScan(server.url, sides.ours, scans),
      await bytesPerScan(server.url, sides.bullmq, scans),
      await bytesPerScan(server.url, sides.raw, scans),
    ];
    const line = (against: string, floor: number): Line => ({
      what: `Redis: memory of each of ${scans} queued scans, against ${against}`,
      measure: 'KiB',
      floor: floor / 1_024,
      ours: ours / 1_024,
      ratio: ours / floor,
    });
    return [line('BullMQ', bullmq), line('a list of texts', raw)];
  } finally {
    await closeSides(sides);
    await server.close();
  }
}
