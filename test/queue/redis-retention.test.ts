import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ScanError } from '../../src/model/scan.ts';
import { clientOptions } from '../../src/queue/redis/client-options.ts';
import { openRedisQueue, type RedisQueue } from '../../src/queue/redis/queue.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { newPrefix, REDIS_SETTINGS } from './redis-harness.ts';
import { startProxy, type RedisProxy } from './redis-proxy.ts';
import { fakeClock } from './sqlite-harness.ts';

const SLOTS = [{ pool: 'nmap', instance: 'a', limit: 99 }];
const ERROR: ScanError = { code: 'scanner_unreachable', message: 'away', hint: 'wait', retryable: true };

describe('retention on Redis', () => {
  let server: RedisServer;
  let proxy: RedisProxy;
  let raw: Redis;
  let opened: RedisQueue;
  let prefix: string;
  const clock = fakeClock();
  beforeAll(async () => {
    server = await startRedis();
    raw = new Redis(server.url);
    proxy = await startProxy(server.port);
  });
  beforeEach(async () => {
    prefix = newPrefix();
    opened = await openRedisQueue({
      connect: (purpose) => new Redis(purpose === 'commands' ? proxy.url : server.url, clientOptions(purpose)),
      prefix,
      clock,
      settings: REDIS_SETTINGS,
      durability: 'reply',
      isAlive: () => true,
    });
  });
  afterEach(() => opened.queue.close());
  afterAll(async () => {
    raw.disconnect();
    await proxy.close();
    await server.close();
  });

  const dead = async (): Promise<string> => {
    const { scan } = await opened.queue.submit(newScan());
    const claim = await opened.queue.claim('w', SLOTS);
    if (!claim) throw new Error('nothing to claim');
    await opened.queue.finish(claim, { kind: 'failed', error: ERROR });
    clock.advance(1_000);
    return scan.scanId;
  };
  const idsOf = (removed: readonly { readonly scanId: string }[]): string[] => removed.map(({ scanId }) => scanId);

  it('tells of each scan it removed although the reply was lost with its connection', async () => {
    const scans = [await dead(), await dead(), await dead()];
    const { operations } = opened;
    // The server must know the script, or what is lost is only its word that it does not.
    expect(await operations.removeFinished({ finishedBefore: 1, limit: 9 })).toEqual([]);
    proxy.loseReplyOf('EVALSHA'.toLowerCase());
    const removed = await operations.removeFinished({ deadBefore: clock.now(), limit: 9 });
    expect(idsOf(removed)).toEqual(scans);
    expect(await operations.removeFinished({ deadBefore: clock.now(), limit: 9 })).toEqual([]);
  });

  it('leaves records of a newer program to that, and passes over them', async () => {
    const [newer, old] = [await dead(), await dead()];
    await raw.hset(`{${prefix}}:scan:${newer}`, 'v', '99');
    const { operations } = opened;
    expect(idsOf(await operations.removeFinished({ deadBefore: clock.now(), limit: 1 }))).toEqual([old]);
    expect(await raw.exists(`{${prefix}}:scan:${newer}`)).toBe(1);
    expect((await operations.list({ states: ['failed'], offset: 0, limit: 9 })).scans).toEqual([]);
    await expect(operations.find(newer)).rejects.toMatchObject({ code: 'data_too_new' });
  });

  it('removes more than one step takes, in steps', async () => {
    for (let made = 0; made < 230; made += 1) await dead();
    const removed = await opened.operations.removeFinished({ deadBefore: clock.now(), limit: 220 });
    expect(new Set(idsOf(removed)).size).toBe(220);
    expect((await opened.operations.gauges()).pools).toMatchObject([{ deadLetters: 10 }]);
  });
});
