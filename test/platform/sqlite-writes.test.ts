import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createWrites } from '../../src/platform/sqlite-writes.ts';

const BUSY = 5;
const taken = (): Error => Object.assign(new Error('database is locked'), { errcode: BUSY });
const asIs = (error: unknown): unknown => error;

/** A lock of another process, and how often it was asked for. */
function lock() {
  const state = { isTaken: true, attempts: 0 };
  return Object.assign(state, {
    take: <T>(value: T): T => {
      state.attempts += 1;
      if (state.isTaken) throw taken();
      return value;
    },
  });
}

describe('writes that wait for a lock', () => {
  it('ask for it one at a time, with the event loop in between, and succeed in their order', async () => {
    const held = lock();
    const writes = createWrites(asIs, 60_000);
    const order: number[] = [];
    const all = Array.from({ length: 300 }, (_, n) => writes(() => held.take(n)).then((done) => order.push(done)));
    expect(held.attempts).toBe(1);
    for (let ticks = 1; ticks <= 20; ticks += 1) {
      const before = held.attempts;
      await delay(1);
      expect(held.attempts - before).toBeLessThanOrEqual(2);
    }
    expect(held.attempts).toBeGreaterThan(1);
    held.isTaken = false;
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 300 }, (_, n) => n));
  });

  it('go on past one that fails for another reason', async () => {
    const held = lock();
    const writes = createWrites(asIs, 60_000);
    const first = writes(() => held.take('first'));
    const broken = writes(() => {
      held.take('broken');
      throw new RangeError('no');
    });
    const last = writes(() => held.take('last'));
    held.isTaken = false;
    const results = await Promise.allSettled([first, broken, last]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await expect(writes(() => held.take('later'))).resolves.toBe('later');
  });

  it('give up together once their patience is over, without an attempt each', async () => {
    const held = lock();
    const writes = createWrites(asIs, 0);
    const all = Array.from({ length: 300 }, () => writes(() => held.take(1)));
    const results = await Promise.allSettled(all);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(held.attempts).toBeLessThan(10);
    held.isTaken = false;
    await expect(writes(() => held.take(1))).resolves.toBe(1);
  });

  it('run at once where nobody waits', () => {
    const writes = createWrites(asIs, 0);
    let isDone = false;
    void writes(() => (isDone = true));
    expect(isDone).toBe(true);
  });
});
