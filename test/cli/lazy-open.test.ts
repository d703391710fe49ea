import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { lazyOpen } from '../../src/cli/lazy-open.ts';

function counted(fails: (attempt: number) => boolean) {
  let attempts = 0;
  const lazy = lazyOpen(() => {
    attempts += 1;
    return fails(attempts) ? Promise.reject(new Error(`attempt ${attempts}`)) : Promise.resolve(attempts);
  });
  return { lazy, attempts: () => attempts };
}

describe('what is opened at the first question', () => {
  it('is opened once for all who ask', async () => {
    const { lazy, attempts } = counted(() => false);
    expect(lazy.opening()).toBeUndefined();
    expect(await Promise.all([lazy.open(), lazy.open()])).toEqual([1, 1]);
    expect(await lazy.open()).toBe(1);
    expect(attempts()).toBe(1);
  });

  it('is not tried twice for one call that asks again when it hears of the failure', async () => {
    const { lazy, attempts } = counted(() => true);
    const call = async () => {
      await lazy.open().catch(() => undefined);
      return lazy.open();
    };
    await expect(call()).rejects.toThrow('attempt 1');
    expect(attempts()).toBe(1);
  });

  it('is tried anew by the next call', async () => {
    const { lazy } = counted((attempt) => attempt === 1);
    await expect(lazy.open()).rejects.toThrow('attempt 1');
    await nextTurn();
    expect(await lazy.open()).toBe(2);
  });
});
