/** One bucket per key that fills with time: so many per minute, and as many at once. */
export interface TokenBuckets {
  /** Takes one. @returns 0, or the milliseconds until there is one: nothing is taken then. */
  take(key: string): number;
  /** The same without taking. */
  look(key: string): number;
}

/** Keys that are remembered. Whoever has more than that begins with a full bucket: memory has a bound before all. */
const MOST = 20_000;
const MINUTE_MS = 60_000;

/** @param monotonic milliseconds */
export function createTokenBuckets(perMinute: number, monotonic: () => number): TokenBuckets {
  const buckets = new Map<string, { left: number; at: number }>();
  const perMs = perMinute / MINUTE_MS;
  const leftOf = (key: string, now: number): number => {
    const found = buckets.get(key);
    return found ? Math.min(perMinute, found.left + (now - found.at) * perMs) : perMinute;
  };
  const waitFor = (left: number): number => (left >= 1 ? 0 : Math.ceil((1 - left) / perMs));
  return {
    look: (key) => waitFor(leftOf(key, monotonic())),
    take(key) {
      const now = monotonic();
      const left = leftOf(key, now);
      const waitMs = waitFor(left);
      // The one that was used last is at the end, so that the one to forget is at the start.
      buckets.delete(key);
      buckets.set(key, { left: waitMs === 0 ? left - 1 : left, at: now });
      const [oldest] = buckets.keys();
      if (buckets.size > MOST && oldest !== undefined) buckets.delete(oldest);
      return waitMs;
    },
  };
}
