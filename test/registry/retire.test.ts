import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../src/platform/log.ts';
import { createRetirement } from '../../src/registry/retire.ts';
import type { Entry } from '../../src/registry/snapshot.ts';
import { watched } from '../../src/registry/health-watch.ts';
import type { Scanner } from '../../src/scanners/scanner.ts';
import { plainEngine } from './fake-engine.ts';

afterEach(() => vi.useRealTimers());

function entryOf(close?: () => Promise<void>): Entry {
  const scanner: Scanner = { ...plainEngine('x').create({}), ...(close ? { close } : {}) };
  const facts = { pool: 'p', instanceId: 'i', fingerprint: String(Math.random()), scanner };
  const instance = { pool: 'p', instanceId: 'i', name: 'i', enabled: true, limit: 1, scanner };
  return { instance, watched: watched(facts) };
}

describe('a scanner that a reload took away', () => {
  it('is closed once nothing can begin on it any more, and one that stayed is not', async () => {
    vi.useFakeTimers();
    const closed: string[] = [];
    const gone = entryOf(() => Promise.resolve(void closed.push('gone')));
    const kept = entryOf(() => Promise.resolve(void closed.push('kept')));
    createRetirement(silentLog).replaced([gone, kept, entryOf()], [kept]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(closed).toEqual([]);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(closed).toEqual(['gone']);
  });

  it('is closed at the end of the process, together with those in force, whatever one of them does', async () => {
    const closed: string[] = [];
    const retirement = createRetirement(silentLog);
    retirement.replaced([entryOf(() => Promise.resolve(void closed.push('gone')))], []);
    await retirement.all([
      entryOf(() => Promise.reject(new Error('no'))),
      entryOf(),
      entryOf(() => Promise.resolve(void closed.push('in force'))),
    ]);
    expect(closed.toSorted()).toEqual(['gone', 'in force']);
  });

  it('does not keep a process that ends waiting', async () => {
    const ended = createRetirement(silentLog).all([entryOf(() => new Promise(() => undefined))]);
    await expect(ended).resolves.toBeUndefined();
  });
});
