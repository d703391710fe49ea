import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ScanState, TRANSITIONS } from '../../src/model/scan.ts';
import { identityText, ownIdentity } from '../../src/platform/process-identity.ts';
import type { Claim, ScanQueue } from '../../src/queue/queue.ts';
import { clientOptions } from '../../src/queue/redis/client-options.ts';
import { defineScript } from '../../src/queue/redis/script.ts';
import { MOVE } from '../../src/queue/redis/scripts/move.ts';
import { PLACES } from '../../src/queue/redis/scripts/places.ts';
import { RECORD } from '../../src/queue/redis/scripts/record.ts';
import { TIME } from '../../src/queue/redis/scripts/time.ts';
import { openRedisQueue } from '../../src/queue/redis/queue.ts';
import { openRedisStore } from '../../src/queue/redis/store.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { newScan, QUEUED_EXPIRY_HOURS } from '../contracts/queue-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { newPrefix, redisHarness, REDIS_SETTINGS, type RedisHarness } from './redis-harness.ts';
import { fakeClock } from './sqlite-harness.ts';

const T = 'local';
const SLOTS = [{ pool: 'nmap', instance: 'a', limit: 1_000 }];
const ERROR = { code: 'scanner_unreachable', message: 'away', hint: 'wait', retryable: true };

describe('what the Redis queue keeps', () => {
  let server: RedisServer;
  let raw: Redis;
  let harness: RedisHarness;
  let queue: ScanQueue;
  beforeAll(async () => {
    server = await startRedis();
    raw = new Redis(server.url);
  });
  beforeEach(async () => {
    harness = await redisHarness(server.url);
    queue = await harness.open();
  });
  afterEach(async () => await harness.close());
  afterAll(async () => {
    raw.disconnect();
    await server.close();
  });

  const submitted = async (...args: Parameters<typeof newScan>) => (await queue.submit(newScan(...args))).scan;
  const claimed = async (worker = 'w'): Promise<Claim> => {
    const claim = await queue.claim(worker, SLOTS);
    if (!claim) throw new Error('nothing to claim');
    return claim;
  };
  const fields = async (scanId: string) => [
    await raw.hgetall(`${harness.keys}scan:${scanId}`),
    await raw.hgetall(`${harness.keys}text:${scanId}`),
  ];

  it('is one scan of 500 clients with one key, and a conflict for those with another request', async () => {
    const handles = await Promise.all(Array.from({ length: 5 }, () => harness.open()));
    const first = newScan({}, { idempotencyKey: 'key-0001' });
    const submits = Array.from({ length: 500 }, async (_, n) => {
      const handle = handles[n % handles.length] ?? queue;
      const own = newScan(first.request, { idempotencyKey: 'key-0001' });
      return await handle.submit({ ...own, requestHash: first.requestHash });
    });
    const answers = await Promise.all(submits);
    expect(answers.filter(({ deduplicated }) => deduplicated === false)).toHaveLength(1);
    expect(new Set(answers.map(({ scan }) => scan.scanId)).size).toBe(1);
    await expect(queue.submit(newScan({}, { idempotencyKey: 'key-0001' }))).rejects.toMatchObject({
      code: 'idempotency_conflict',
    });
    expect(await queue.liveCount()).toBe(1);
  });

  it('keeps names apart that hold the marks between parts of keys', async () => {
    const pairs = [
      ['a', 'b:cccccccc'],
      ['a:b', 'cccccccc'],
      ['queued:a', 'cccccccc'],
      ['a b', 'cccc cccc'],
    ] as const;
    for (const [tenant, idempotencyKey] of pairs) {
      expect((await queue.submit(newScan({}, { tenant, idempotencyKey }))).deduplicated).toBe(false);
    }
    for (const [tenant] of pairs) expect((await queue.list(tenant, { limit: 5, state: 'queued' })).total).toBe(1);
  });

  it('leaves the records of newer programs to them, byte for byte, and goes on with the others', async () => {
    const waiting = await submitted({ priority: 1 });
    const running = await submitted({ priority: 2 });
    const late = await submitted({ priority: 3 });
    await raw.hset(`${harness.keys}scan:${waiting.scanId}`, 'v', '2');
    const claim = await claimed('old');
    expect(claim.scan.scanId).toBe(running.scanId);
    await raw.hset(`${harness.keys}scan:${running.scanId}`, 'v', '2');
    const before = [await fields(waiting.scanId), await fields(running.scanId)];
    harness.kill('old');
    expect((await claimed()).scan.scanId).toBe(late.scanId);
    harness.advance((QUEUED_EXPIRY_HOURS + 1) * 3_600_000);
    expect(await queue.claim('w', [])).toBeUndefined();
    const refusal = { code: 'data_too_new' };
    expect(await queue.list(T, { limit: 9 })).toMatchObject({
      scans: [{ scanId: late.scanId }],
      unreadable: 2,
      total: 3,
    });
    await expect(queue.get(T, waiting.scanId)).rejects.toMatchObject(refusal);
    await expect(queue.cancel(T, waiting.scanId)).rejects.toMatchObject(refusal);
    await expect(queue.finish(claim, { kind: 'released' })).rejects.toMatchObject(refusal);
    expect([await fields(waiting.scanId), await fields(running.scanId)]).toEqual(before);
  });

  it('puts back and fails however many scans there are, in steps', async () => {
    for (let n = 0; n < 250; n++) await queue.submit(newScan());
    for (let n = 0; n < 250; n++) await claimed('doomed');
    harness.kill('doomed');
    expect(await queue.claim('w', [])).toBeUndefined();
    expect((await queue.status(T)).pools).toMatchObject([{ queued: 250, running: 0 }]);
    harness.advance((QUEUED_EXPIRY_HOURS + 1) * 3_600_000);
    expect(await queue.claim('w', [])).toBeUndefined();
    expect((await queue.status(T)).pools).toMatchObject([{ queued: 0, deadLetters: 250 }]);
    expect(await queue.purgeDeadLetters(T, Number.MAX_SAFE_INTEGER)).toHaveLength(250);
    expect((await queue.list(T, { limit: 1 })).total).toBe(0);
  });

  it('leaves nothing behind of scans that are gone', async () => {
    await submitted({ pinned_instance: 'a', project_id: 'p' });
    for (let n = 0; n < 4; n++) await submitted();
    const claims = [await claimed('w1'), await claimed('w1'), await claimed('w2')];
    for (const claim of claims.slice(0, 2)) await queue.checkpoint(claim, { phase: 'launched', reference: 'r' });
    harness.kill('w1');
    const adopted = [await claimed(), await claimed()];
    for (const claim of [...adopted, ...claims.slice(2)]) {
      await queue.finish(claim, { kind: 'retry', error: ERROR, delayMs: 1 });
    }
    harness.advance(10);
    for (let n = 0; n < 5; n++) await queue.finish(await claimed(), { kind: 'failed', error: ERROR });
    harness.advance(10);
    expect(await queue.purgeDeadLetters(T, Number.MAX_SAFE_INTEGER)).toHaveLength(5);
    for (const worker of ['w', 'w2']) await queue.retire(worker);
    const left = (await raw.keys(`${harness.keys}*`)).map((key) => key.slice(harness.keys.length)).toSorted();
    expect(left).toEqual(['counters', 'lanes:nmap', 'meta', 'n', 'tenants', 'told', 'turns:nmap']);
  });

  it('is asked over two connections by a process, however many wait', async () => {
    const own = await redisHarness(server.url);
    const handle = await own.open();
    const before = await raw.client('LIST');
    const { scan } = await handle.submit(newScan());
    const waits = Array.from({ length: 1_000 }, () =>
      handle.waitForEvent(T, scan.scanId, 1, new AbortController().signal),
    );
    await handle.claim('w', SLOTS);
    expect((await Promise.all(waits)).every((found) => found)).toBe(true);
    const connections = (list: unknown): number => String(list).trim().split('\n').length;
    expect(connections(await raw.client('LIST')) - connections(before)).toBe(1);
    await own.close();
  });

  it('judges only processes of this machine by their id', async () => {
    const { queue: handle } = await openRedisQueue({
      connect: (purpose) => new Redis(server.url, clientOptions(purpose)),
      prefix: newPrefix(),
      clock: systemClock,
      settings: REDIS_SETTINGS,
      durability: 'reply',
    });
    const own = identityText(ownIdentity());
    await handle.heartbeat(`${own}|1`);
    expect((await handle.status(T)).workers).toBe(1);
    await handle.heartbeat('another-machine|1|1');
    expect((await handle.status(T)).workers).toBe(2);
    await handle.heartbeat(`${own.split('|')[0]}|4194305|1`);
    expect((await handle.status(T)).workers).toBe(2);
    await handle.close();
  });

  it('refuses every move that the state machine does not list, and changes nothing', async () => {
    const { scanId } = await submitted();
    const store = await openRedisStore({
      connect: (purpose) => new Redis(server.url, clientOptions(purpose)),
      prefix: harness.keys.slice(1, -2),
      clock: fakeClock(),
      settings: REDIS_SETTINGS,
      durability: 'reply',
    });
    const force = defineScript('force', 'take', 'move(load(ARGV[2]), ARGV[3], {})', [RECORD, PLACES, TIME, MOVE]);
    for (const from of ScanState.options) {
      await raw.hset(`${harness.keys}scan:${scanId}`, 'state', from);
      for (const to of ScanState.options.filter((state) => !TRANSITIONS[from].includes(state))) {
        await expect(store.run(force, scanId, to)).rejects.toMatchObject({ code: 'internal_error' });
        expect((await queue.get(T, scanId))?.state).toBe(from);
      }
    }
    expect(await queue.events(T, scanId, 0)).toHaveLength(1);
    await store.close();
  });

  it('tells times in scripts as Node does', async () => {
    const clock = fakeClock();
    const store = await openRedisStore({
      connect: (purpose) => new Redis(server.url, clientOptions(purpose)),
      prefix: newPrefix(),
      clock,
      settings: REDIS_SETTINGS,
      durability: 'reply',
    });
    const iso = defineScript('iso', 'read', 'return isoNow()', [TIME]);
    await fc.assert(
      fc.asyncProperty(
        fc.date({ min: new Date(0), max: new Date('2400-01-01'), noInvalidDate: true }),
        async (date) => {
          clock.setBack(clock.now() - date.getTime());
          expect(await store.run(iso)).toBe(date.toISOString());
        },
      ),
    );
    await store.close();
  });
});
