import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { silentLog } from '../../src/platform/log.ts';
import type { WorkerFacts } from '../../src/queue/operations.ts';
import { startHeart } from '../../src/worker/heart.ts';

const FACTS = { concurrency: 2, version: '1.0.0', host: 'h', pid: 1, startedAt: 5 };

/** A queue that notes what it is told, and fails as long as it is away. */
function listening() {
  const told: string[] = [];
  const state = { isAway: false };
  const note = async (text: string): Promise<void> => {
    await Promise.resolve();
    if (state.isAway) throw new AppError('queue_unavailable', 'away');
    told.push(text);
  };
  const queue = {
    heartbeat: (id: string, facts?: WorkerFacts) => note(`${id} ${facts?.draining === true ? 'drains' : 'works'}`),
    retire: (id: string) => note(`${id} gone`),
  };
  return { told, state, deps: { queue, workerId: 'w', facts: FACTS, everyMs: 60_000, log: silentLog } };
}

describe('the heart of a worker', () => {
  it('says at once that it drains, and goes off the list after its last beat', async () => {
    const { told, deps } = listening();
    const heart = await startHeart(deps);
    heart.drain();
    await heart.stop();
    expect(told).toEqual(['w works', 'w drains', 'w gone']);
  });

  it('does not begin without a queue', async () => {
    const { state, deps } = listening();
    state.isAway = true;
    await expect(startHeart(deps)).rejects.toMatchObject({ code: 'queue_unavailable' });
  });

  it('beats on through an outage, and ends quietly in one', async () => {
    vi.useFakeTimers();
    try {
      const { told, state, deps } = listening();
      const heart = await startHeart(deps);
      state.isAway = true;
      await vi.advanceTimersByTimeAsync(120_000);
      state.isAway = false;
      await vi.advanceTimersByTimeAsync(60_000);
      expect(told).toEqual(['w works', 'w works']);
      state.isAway = true;
      await heart.stop();
      state.isAway = false;
      await vi.advanceTimersByTimeAsync(120_000);
      expect(told).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });
});
