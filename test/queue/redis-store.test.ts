import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Log } from '../../src/platform/log.ts';
import { clientOptions } from '../../src/queue/redis/client-options.ts';
import { defineScript } from '../../src/queue/redis/script.ts';
import { openRedisStore, type RedisQueueDeps, type RedisStore } from '../../src/queue/redis/store.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { fakeClock, SETTINGS } from './sqlite-harness.ts';

const ECHO = defineScript('echo', 'read', 'return {P, int(now), ARGV[2], 7}');
const COUNT = defineScript('count', 'take', `return redis.call('INCR', P .. 'n')`);
const FILL = defineScript(
  'fill',
  'keep',
  `return redis.call('SET', P .. 'filled', string.rep('x', tonumber(ARGV[2])))`,
);

describe('the Redis store', () => {
  let server: RedisServer;
  const open: RedisStore[] = [];
  beforeAll(async () => {
    server = await startRedis();
  });
  afterEach(async () => {
    for (const store of open.splice(0)) await store.close();
  });
  afterAll(async () => await server.close());

  let prefixes = 0;
  const openStore = async (over: Partial<RedisQueueDeps> = {}): Promise<RedisStore> => {
    const store = await openRedisStore({
      connect: (purpose) => new Redis(server.url, clientOptions(purpose)),
      prefix: `t${(prefixes += 1)}`,
      clock: fakeClock(),
      settings: SETTINGS,
      durability: 'reply',
      ...over,
    });
    open.push(store);
    return store;
  };

  it('runs a script with the prefix, the clock of the caller and its arguments', async () => {
    const store = await openStore({ prefix: 'p' });
    expect(await store.run(ECHO, 'a')).toEqual(['{p}:', String(store.clock.now()), 'a', 7]);
  });

  it('refuses a store of a newer layout, and touches nothing', async () => {
    const store = await openStore({ prefix: 'newer' });
    const raw = new Redis(server.url);
    await raw.hset('{newer}:meta', 'layout', '99');
    await expect(store.run(COUNT)).rejects.toMatchObject({ code: 'data_too_new' });
    await expect(openStore({ prefix: 'newer' })).rejects.toMatchObject({ code: 'data_too_new' });
    expect(await raw.keys('{newer}:*')).toEqual(['{newer}:meta']);
    raw.disconnect();
  });

  it('waits for a server that comes back at once, and says queue_unavailable within the limit when it does not', async () => {
    const store = await openStore();
    await server.kill('SIGKILL');
    const answer = store.run(COUNT);
    await server.restart();
    expect(await answer).toBe(1);
    await server.kill('SIGKILL');
    await expect(store.run(COUNT)).rejects.toMatchObject({ code: 'queue_unavailable', retryable: true });
    await server.restart();
    expect(await store.run(COUNT)).toBe(2);
  });

  it('lets any number of callers wait for the server, and tells of the outage once', async () => {
    const said: string[] = [];
    const say = (_: object, message: string): void => void said.push(message);
    const log: Log = { debug: say, info: say, warn: say, error: say, child: () => log };
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.name);
    process.on('warning', onWarning);
    const store = await openStore({ log });
    await server.kill('SIGKILL');
    const answers = Array.from({ length: 100 }, () => store.run(COUNT));
    await delay(500);
    await server.restart();
    expect((await Promise.all(answers)).toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 100 }, (_, n) => n + 1),
    );
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
    expect(said).toEqual(['Redis is away; trying again until it is back', 'Redis is back']);
  });

  it('gives up on a server that stands still, and goes on when it does', async () => {
    const store = await openStore();
    await server.kill('SIGSTOP');
    await expect(store.run(ECHO, 'a')).rejects.toMatchObject({ code: 'queue_unavailable' });
    await server.kill('SIGCONT');
    expect(await store.run(ECHO, 'a')).toContain('a');
  });

  it('says storage_full to what is new when memory is used up, and lets what was accepted go on', async () => {
    const store = await openStore();
    const raw = new Redis(server.url);
    await store.run(FILL, 2_000_000);
    await raw.config('SET', 'maxmemory', '1mb');
    await expect(store.run(COUNT)).rejects.toMatchObject({ code: 'storage_full' });
    expect(await store.run(FILL, 10)).toBe('OK');
    await raw.config('SET', 'maxmemory', '0');
    raw.disconnect();
  });

  it('cannot be opened where there is no server', async () => {
    await expect(
      openStore({ connect: (purpose) => new Redis(1, '127.0.0.1', clientOptions(purpose)) }),
    ).rejects.toMatchObject({ code: 'queue_unavailable' });
  });

  it('hears messages of other processes, also after the server was away', async () => {
    const store = await openStore({ prefix: 'm' });
    const heard: (string | undefined)[] = [];
    let tell = (): void => undefined;
    const next = (wanted: string | undefined): Promise<void> =>
      new Promise((resolve) => {
        tell = () => {
          if (!heard.includes(wanted)) return;
          heard.length = 0;
          resolve();
        };
        tell();
      });
    store.listen('events', (message) => {
      heard.push(message);
      tell();
    });
    await next(undefined);
    const raw = new Redis(server.url);
    await raw.publish('{m}:events', 'one');
    await next('one');
    await server.restart();
    await next(undefined);
    await raw.publish('{m}:events', 'two');
    await next('two');
    raw.disconnect();
  });
});
