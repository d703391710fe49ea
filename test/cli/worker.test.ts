import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import { openSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import { createPlace, runCommand, startCommand, untilEnded, type Place } from './command-process.ts';

let place: Place;
beforeAll(() => {
  place = createPlace();
});
afterAll(() => place.clean());

describe('scanmux worker', () => {
  it('refuses a pool there is none of, naming those there are, and numbers out of bounds', async () => {
    const unknown = await runCommand(place, ['worker', '--pools', 'baseline,nothing']);
    expect(unknown.code).toBe(4);
    expect(unknown.stderr).toMatch(/pool_unknown: There is no pool .*nothing.* Pools: baseline/);
    const none = await runCommand(place, ['worker', '--pools', ',']);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('--pools names no pool')]);
    for (const count of ['0', '257']) {
      const { code, stderr } = await runCommand(place, ['worker', '--concurrency', count]);
      expect([code, stderr]).toEqual([2, expect.stringContaining('--concurrency must be from 1 to 256')]);
    }
  });

  it('shows its pools and how many scans it takes, for as long as it lives', async () => {
    const child = startCommand(place, ['worker', '--stay', '--pools', 'baseline', '--concurrency', '3']);
    const ended = untilEnded(child);
    const settings = { idempotencyHours: 48, queuedExpiryHours: 168, reserveBytes: 0 };
    const { queue, operations } = await openSqliteQueue({ folder: place.data, clock: systemClock, settings });
    try {
      await expect
        .poll(() => operations.workers())
        .toMatchObject([{ pools: ['baseline'], concurrency: 3, pid: child.pid, draining: false }]);
      child.kill('SIGTERM');
      expect(await ended).toMatchObject({ code: 0, signal: null });
      expect(await operations.workers()).toEqual([]);
    } finally {
      child.kill('SIGKILL');
      await queue.close();
    }
  });

  it('with --stay waits for its place while another has it, and takes it then', async () => {
    const first = startCommand(place, ['worker', '--stay']);
    const firstEnded = untilEnded(first);
    const settings = { idempotencyHours: 48, queuedExpiryHours: 168, reserveBytes: 0 };
    const { queue, operations } = await openSqliteQueue({ folder: place.data, clock: systemClock, settings });
    const pids = async (): Promise<unknown[]> => (await operations.workers()).map(({ pid }) => pid);
    await expect.poll(pids).toEqual([first.pid]);
    const second = startCommand(place, ['worker', '--stay']);
    const secondEnded = untilEnded(second);
    try {
      const waits = new Promise<string>((resolve) => {
        second.stderr?.on('data', (said: Buffer) => {
          if (said.toString('utf8').includes('waits for its place')) resolve('waits');
        });
      });
      expect(await Promise.race([waits, secondEnded])).toBe('waits');
      first.kill('SIGTERM');
      expect(await firstEnded).toMatchObject({ code: 0 });
      await expect.poll(pids).toEqual([second.pid]);
      second.kill('SIGTERM');
      expect(await secondEnded).toMatchObject({ code: 0, signal: null });
    } finally {
      for (const child of [first, second]) child.kill('SIGKILL');
      await queue.close();
    }
  });
});
