import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../src/platform/log.ts';
import { createWorkerLauncher, type WorkerLauncher } from '../../src/worker/launch.ts';

/** A launcher over a world that is set by hand. */
function world() {
  const state = { holder: 'nobody', live: 0, running: true, starts: 0, failing: false, now: 0 };
  const launcher = createWorkerLauncher({
    holder: async () => (state.holder === 'nobody' ? undefined : state.holder),
    liveCount: async () => state.live,
    isRunning: () => state.running,
    clock: { now: () => state.now, monotonic: () => state.now },
    log: silentLog,
    async start() {
      if (state.failing) throw new Error('no more processes');
      state.starts += 1;
      return 4_000 + state.starts;
    },
  });
  launchers.push(launcher);
  const wake = async (): Promise<number> => {
    launcher.wake();
    await vi.advanceTimersByTimeAsync(0);
    return state.starts;
  };
  const pass = async (ms: number): Promise<number> => {
    state.now += ms;
    await vi.advanceTimersByTimeAsync(ms);
    return state.starts;
  };
  return { state, wake, pass };
}
const launchers: WorkerLauncher[] = [];

describe('the launcher of the worker process', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(async () => {
    for (const launcher of launchers.splice(0)) await launcher.close();
    vi.useRealTimers();
  });

  it('starts one worker for many calls, and none where one holds the seat', async () => {
    const { state, wake } = world();
    expect(await Promise.all([wake(), wake(), wake()])).toEqual([1, 1, 1]);
    state.holder = 'a worker';
    expect(await wake()).toBe(1);
  });

  it('waits for a worker that is on its way, but not for ever', async () => {
    const { wake, pass } = world();
    expect(await wake()).toBe(1);
    await pass(9_000);
    expect(await wake()).toBe(1);
    await pass(1_001);
    expect(await wake()).toBe(2);
  });

  it('starts another at once when the one on its way has died', async () => {
    const { state, wake } = world();
    await wake();
    state.running = false;
    expect(await wake()).toBe(2);
  });

  it('starts another at once when one that had its seat has left it, though that process still closes its files', async () => {
    const { state, wake } = world();
    await wake();
    state.holder = 'a worker';
    await wake();
    state.holder = 'nobody';
    expect(await wake()).toBe(2);
  });

  it('looks by itself, and starts one only for scans that are not final', async () => {
    const { state, pass } = world();
    expect(await pass(10_000)).toBe(0);
    state.live = 1;
    expect(await pass(2_000)).toBe(1);
  });

  it('goes on after a start that failed', async () => {
    const { state, wake, pass } = world();
    Object.assign(state, { failing: true, live: 1 });
    expect(await wake()).toBe(0);
    state.failing = false;
    expect(await pass(2_000)).toBe(1);
  });
});
