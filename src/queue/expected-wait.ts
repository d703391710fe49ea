/** How many of a pool's last completed scans its expectations rest on. */
export const KEPT_DURATIONS = 50;

/** Median in milliseconds; undefined when nothing was measured. */
export function medianOf(durationsMs: readonly number[]): number | undefined {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/**
 * The running scans end when the median says, or at once if they are over it; the ones ahead take the slots as they
 * come free.
 * @param position 1 for the next of the pool.
 * @param runningForMs How long each running scan has been running.
 * @returns milliseconds; undefined when nothing was measured or there is no slot
 */
export function expectedWait(
  median: number | undefined,
  position: number,
  slots: number,
  runningForMs: readonly number[],
): number | undefined {
  if (median === undefined || slots < 1) return undefined;
  const left = runningForMs
    .map((ms) => Math.min(median, Math.max(0, median - ms)))
    .toSorted((a, b) => a - b)
    .slice(0, slots);
  const freeAt = [...Array.from({ length: slots - left.length }, () => 0), ...left];
  const turn = Math.max(0, position - 1);
  return (freeAt[turn % slots] ?? 0) + Math.floor(turn / slots) * median;
}
