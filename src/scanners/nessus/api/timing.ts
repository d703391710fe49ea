import { setTimeout as delay } from 'node:timers/promises';

/** Time and chance as the client sees them; tests bring their own. */
export interface Timing {
  /** Epoch milliseconds. May jump. */
  now(): number;
  /** Milliseconds since some start. Never goes back. */
  monotonic(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** @throws the signal's reason when it aborts first */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemTiming: Timing = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: Math.random,
  async sleep(ms, signal) {
    signal.throwIfAborted();
    await delay(ms, undefined, { signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
  },
};
