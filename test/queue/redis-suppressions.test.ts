import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openConnection } from '../../src/queue/redis/connection.ts';
import { redisTarget } from '../../src/queue/redis/connection-target.ts';
import { openRedisStore, type RedisStore } from '../../src/queue/redis/store.ts';
import { createRedisSuppressions } from '../../src/queue/redis/suppressions.ts';
import { describeSuppressionsContract, type SuppressionsHarness } from '../contracts/suppressions-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { fakeClock, SETTINGS } from './sqlite-harness.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.close());

async function harness(): Promise<SuppressionsHarness & { setBack(ms: number): void }> {
  const clock = fakeClock();
  const prefix = randomUUID();
  const stores: RedisStore[] = [];
  const restart = async (): Promise<void> => {
    for (const store of stores.splice(0)) await store.close();
  };
  return {
    async open() {
      const store = await openRedisStore({
        connect: (purpose) => openConnection(redisTarget({ url: server.url }), purpose),
        prefix,
        clock,
        settings: SETTINGS,
        durability: 'reply',
      });
      stores.push(store);
      return createRedisSuppressions(store);
    },
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    setBack: (ms) => clock.setBack(ms),
    restart,
    close: restart,
  };
}

describeSuppressionsContract('Redis', harness);

const entry = { status: 'mitigated', reason: 'r', who: 'cli' } as const;

it('holds again what had expired when the clock is set back', async () => {
  const own = await harness();
  const list = await own.open();
  await list.put('t', { fingerprint: 'f', ...entry, expiresAt: own.now() + 10 });
  const before = await list.inForce('t');
  own.advance(10);
  expect((await list.inForce('t')).entries).toEqual([]);
  own.setBack(10);
  expect(await list.inForce('t')).toEqual(before);
  await own.close();
});

it('keeps what was judged over the end of Redis', async () => {
  const own = await harness();
  const list = await own.open();
  await list.put('t', { engine: 'nmap', rule_id: 'x', ...entry, byOperator: true, expiresAt: own.now() + 10 });
  const before = await list.inForce('t');
  expect(before.entries).toMatchObject([{ byOperator: true }]);
  await server.restart();
  expect(await list.inForce('t')).toBe(before);
  expect(await (await own.open()).inForce('t')).toEqual(before);
  await own.close();
});

it('refuses more than a tenant can have, by a coded error, and forgets what expired long ago', async () => {
  const own = await harness();
  const list = await own.open();
  await list.put('t', { fingerprint: 'old', ...entry, expiresAt: own.now() + 10 });
  for (let from = 0; from < 49_999; from += 1_000) {
    const batch = Array.from({ length: Math.min(1_000, 49_999 - from) }, (_, n) => from + n);
    await Promise.all(batch.map((n) => list.put('t', { fingerprint: `f${n}`, ...entry, expiresAt: own.now() + 9e11 })));
  }
  await expect(list.put('t', { fingerprint: 'one more', ...entry, expiresAt: own.now() + 10 })).rejects.toMatchObject({
    code: 'quota_exceeded',
  });
  own.advance(366 * 86_400_000);
  await list.put('t', { fingerprint: 'one more', ...entry, expiresAt: own.now() + 10 });
  expect((await list.list('t')).some(({ fingerprint }) => fingerprint === 'old')).toBe(false);
  await own.close();
}, 60_000);
