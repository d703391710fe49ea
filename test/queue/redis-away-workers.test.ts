import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newScan } from '../contracts/queue-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { redisHarness, REDIS_SETTINGS } from './redis-harness.ts';

const SLOTS = [{ pool: 'nmap', instance: 'a', limit: 1 }];

describe('workers of the Redis queue after an outage', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => {
    await server.close();
  });

  it('take nothing from one that could not beat while they could not look', async () => {
    const harness = await redisHarness(server.url);
    const [queue, other] = [await harness.open(), await harness.open()];
    await queue.submit(newScan());
    await queue.heartbeat('w');
    const claim = await queue.claim('w', SLOTS);
    expect(await other.claim('other', SLOTS)).toBeUndefined();

    await server.kill('SIGSTOP');
    const inVain: Promise<unknown>[] = [];
    for (let waited = 0; waited <= 2 * REDIS_SETTINGS.leaseMs; waited += 10_000) {
      inVain.push(other.claim('other', SLOTS).catch((error: unknown) => error));
      // Each begins before the clock goes on.
      await new Promise((resolve) => setImmediate(resolve));
      harness.advance(10_000);
    }
    for (const error of await Promise.all(inVain)) expect(error).toMatchObject({ code: 'queue_unavailable' });
    await server.kill('SIGCONT');
    for (const handle of [queue, other]) {
      await expect.poll(async () => await handle.liveCount().catch(() => 0)).toBe(1);
    }

    expect(await other.claim('other', SLOTS)).toBeUndefined();
    expect(claim && (await queue.finish(claim, { kind: 'cancelled' }))).toBe(true);
    await harness.close();
  });
});
