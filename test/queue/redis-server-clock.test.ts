import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { systemClock, type Clock } from '../../src/platform/clock.ts';
import { createLog } from '../../src/platform/log.ts';
import { openSharedQueue } from '../../src/queue/redis/open.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.close());

const DAY_MS = 86_400_000;
const ahead = (ms: number): Clock => ({ ...systemClock, now: () => systemClock.now() + ms });
const SLOTS = [{ pool: 'nmap', instance: 'a', limit: 1 }];

/** The queue as a machine with this clock has it. */
async function machine(prefix: string, clock: Clock) {
  const opened = await openSharedQueue({
    place: { url: server.url },
    prefix,
    allowVolatile: false,
    clock,
    settings: { idempotencyHours: 48, queuedExpiryHours: 168 },
    log: createLog('silent'),
  });
  onTestFinished(() => opened.queue.close());
  return opened;
}

it.each([8 * DAY_MS, -8 * DAY_MS])('a machine whose clock is off by %i ms ends no scan of the others', async (off) => {
  const prefix = randomUUID();
  const [right, wrong] = [await machine(prefix, systemClock), await machine(prefix, ahead(off))];
  expect(Math.abs(wrong.clock.now() - systemClock.now())).toBeLessThan(DAY_MS);
  const { scan } = await right.queue.submit(newScan({ pool: 'other' }));
  await wrong.queue.claim('w', SLOTS);
  expect((await right.queue.get('local', scan.scanId))?.state).toBe('queued');
  const late = await wrong.queue.submit(newScan());
  expect(Math.abs(late.scan.createdAt - systemClock.now())).toBeLessThan(DAY_MS);
  const claim = await right.queue.claim('w2', SLOTS);
  const error = { code: 'scanner_unreachable', message: 'away', hint: 'wait', retryable: true };
  if (claim) await right.queue.finish(claim, { kind: 'retry', error, delayMs: DAY_MS });
  expect(await wrong.queue.claim('w', SLOTS)).toBeUndefined();
  expect((await wrong.queue.get('local', late.scan.scanId))?.state).toBe('retrying');
});
