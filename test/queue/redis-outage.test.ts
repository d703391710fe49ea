import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Claim, ScanQueue } from '../../src/queue/queue.ts';
import { clientOptions } from '../../src/queue/redis/client-options.ts';
import type { RedisQueueDeps } from '../../src/queue/redis/store.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { redisHarness, type RedisHarness } from './redis-harness.ts';
import { startProxy } from './redis-proxy.ts';

const T = 'local';
const SLOTS = [{ pool: 'nmap', instance: 'a', limit: 1_000 }];

describe('the Redis queue, when its server fails it', () => {
  let server: RedisServer;
  const open: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    server = await startRedis();
  });
  afterEach(async () => {
    for (const close of open.splice(0).toReversed()) await close();
  });
  afterAll(async () => await server.close());

  const newHarness = async (over: Partial<RedisQueueDeps> = {}): Promise<RedisHarness> => {
    const harness = await redisHarness(server.url, over);
    open.push(() => harness.close());
    return harness;
  };
  const newProxy = async () => {
    const proxy = await startProxy(server.port);
    open.push(() => proxy.close());
    return proxy;
  };
  const claimAll = async (queue: ScanQueue): Promise<readonly Claim[]> => {
    const claims: Claim[] = [];
    for (;;) {
      const claim = await queue.claim('w', SLOTS);
      if (!claim) return claims;
      claims.push(claim);
    }
  };

  it('loses nothing it accepted and starts nothing twice while the server is killed again and again', async () => {
    const queue = await (await newHarness()).open();
    const accepted = new Set<string>();
    const claims: Claim[] = [];
    let isOver = false;
    const untilOver = async (step: () => Promise<void>): Promise<void> => {
      while (!isOver) {
        await step().catch((error: unknown) => expect(error).toMatchObject({ code: 'queue_unavailable' }));
      }
    };
    const submitting = untilOver(async () => {
      const { scan } = await queue.submit(newScan());
      accepted.add(scan.scanId);
    });
    const claiming = untilOver(async () => {
      const claim = await queue.claim('w', SLOTS);
      if (claim) claims.push(claim);
      else await delay(1);
    });
    for (let n = 0; n < 3; n++) {
      await delay(150);
      await server.restart();
    }
    isOver = true;
    await Promise.all([submitting, claiming]);
    claims.push(...(await claimAll(queue)));
    const started = claims.map(({ scan }) => scan.scanId);
    expect(new Set(started).size).toBe(started.length);
    expect([...accepted].filter((scanId) => !started.includes(scanId))).toEqual([]);
    expect(claims.every(({ epoch }) => epoch === 1)).toBe(true);
    expect(await queue.activeByInstance()).toEqual(new Map([['nmap/a', started.length]]));
  });

  it('lets those who wait go on waiting, and wakes them when the server is back', async () => {
    const harness = await newHarness();
    const [queue, other] = [await harness.open(), await harness.open()];
    const { scan } = await queue.submit(newScan());
    const { signal } = new AbortController();
    const event = queue.waitForEvent(T, scan.scanId, 1, signal);
    await server.kill('SIGKILL');
    const lateEvent = queue.waitForEvent(T, scan.scanId, 1, signal);
    await expect(queue.submit(newScan())).rejects.toMatchObject({ code: 'queue_unavailable' });
    await server.restart();
    await expect.poll(async () => await other.liveCount().catch(() => 0)).toBe(1);
    await other.cancel(T, scan.scanId);
    expect(await Promise.all([event, lateEvent])).toEqual([true, true]);
  });

  it('finds out about an event and about work whose message was lost', async () => {
    const proxy = await newProxy();
    const connect: RedisQueueDeps['connect'] = (purpose) =>
      new Redis(purpose === 'messages' ? proxy.url : server.url, clientOptions(purpose));
    const queue = await (await newHarness({ connect })).open();
    const { scan } = await queue.submit(newScan());
    const { signal } = new AbortController();
    const first = queue.waitForEvent(T, scan.scanId, 1, signal);
    await queue.claim('w', SLOTS);
    expect(await first).toBe(true);
    proxy.block(true);
    const event = queue.waitForEvent(T, scan.scanId, 2, signal);
    await delay(50); // its first look is over
    const work = queue.waitForWork(signal, 20_000);
    await queue.cancel(T, scan.scanId);
    expect(await Promise.all([event, work])).toEqual([true, true]);
  });

  it('listens again when the connection broke while it was about to', async () => {
    const proxy = await newProxy();
    const connect: RedisQueueDeps['connect'] = (purpose) =>
      new Redis(purpose === 'messages' ? proxy.url : server.url, clientOptions(purpose));
    const queue = await (await newHarness({ connect })).open();
    const { scan } = await queue.submit(newScan());
    const event = queue.waitForEvent(T, scan.scanId, 1, new AbortController().signal);
    const raw = new Redis(server.url);
    open.push(async () => raw.disconnect());
    const listeners = async (): Promise<number> => Object.keys(await raw.pubsub('CHANNELS', '*')).length;
    await expect.poll(listeners).toBe(1);
    for (let n = 0; n < 3; n++) {
      proxy.loseReplyOf('subscribe');
      await raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await delay(200);
    }
    await expect.poll(listeners).toBe(1);
    await queue.cancel(T, scan.scanId);
    expect(await event).toBe(true);
  });

  it('refuses new scans when memory is used up, and lets accepted ones run, end and be read', async () => {
    const harness = await newHarness();
    const queue = await harness.open();
    const { scan } = await queue.submit(newScan());
    await queue.submit(newScan());
    const raw = new Redis(server.url);
    open.push(async () => {
      await raw.config('SET', 'maxmemory', '0');
      raw.disconnect();
    });
    await raw.config('SET', 'maxmemory', '1mb');
    await expect(queue.submit(newScan())).rejects.toMatchObject({ code: 'storage_full' });
    await queue.heartbeat('w');
    const claim = await queue.claim('w', SLOTS);
    expect(claim?.scan.scanId).toBe(scan.scanId);
    if (claim) expect(await queue.finish(claim, { kind: 'cancelled' })).toBe(true);
    expect(await queue.get(T, scan.scanId)).toMatchObject({ state: 'cancelled' });
    expect((await queue.list(T, { limit: 5 })).total).toBe(2);
  });

  it('answers a write only when the server says that its disk has it, where it can say that', async () => {
    const proxy = await newProxy();
    const asked: string[] = [];
    const answer = (local: number) => () => {
      asked.push('WAITAOF');
      return `*2\r\n:${local}\r\n:0\r\n`;
    };
    proxy.answer('WAITAOF', answer(1));
    const queue = await (
      await newHarness({
        durability: 'waitaof',
        connect: (purpose) => new Redis(proxy.url, clientOptions(purpose)),
      })
    ).open();
    const { scan } = await queue.submit(newScan());
    expect(await queue.get(T, scan.scanId)).toEqual(scan);
    const before = asked.length;
    expect(before).toBeGreaterThan(0);
    await Promise.all(Array.from({ length: 50 }, () => queue.submit(newScan())));
    expect(asked.length - before).toBeLessThan(25);
    await queue.get(T, scan.scanId);
    proxy.answer('WAITAOF', answer(0));
    await expect(queue.submit(newScan())).rejects.toMatchObject({ code: 'queue_unavailable' });
  });
});
