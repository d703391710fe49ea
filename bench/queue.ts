import { startRedis } from '../test/redis-server.ts';
import type { Bench } from './bench.ts';
import { memory } from './queue-memory.ts';
import { pythonQueues } from './queue-python.ts';
import { closeSides, openSides } from './queue-sides.ts';
import { drains, starts, submits } from './queue-speed.ts';

/** The queue in Redis against other queues in the same Redis, which syncs each write before it answers. */
export const queueOnRedis: Bench = async (size) => {
  const server = await startRedis();
  const sides = await openSides(server.url);
  try {
    const started = await starts(server.url, sides, size);
    const drained = await drains(server.url, sides, size);
    const submitted = await submits(sides, size);
    const ours = { perSecond: submitted[0]?.ours ?? 0, p50: started[0]?.ours ?? 0 };
    return [...submitted, ...started, ...drained, ...pythonQueues(server.url, ours, size), ...(await memory(size))];
  } finally {
    await closeSides(sides);
    await server.close();
  }
};
