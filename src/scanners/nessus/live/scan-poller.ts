import type { ListedScan } from '../api/answers.ts';
import type { NessusApi } from '../api/nessus-api.ts';
import { orAborted } from '../../../platform/or-aborted.ts';
import type { Timing } from '../api/timing.ts';

/** Lists the scans of one instance for everybody who waits for one of them. */
export interface ScanPoller {
  /**
   * The list after a wait of at most `intervalMs`: whoever waits in the same interval wakes at the same time and gets the
   * same list.
   * @throws those of NessusApi.scans
   */
  next(intervalMs: number, signal: AbortSignal): Promise<ReadonlyMap<string, ListedScan>>;
}

/** A list this young is new enough for whoever asks. */
const FRESH_MS = 300;

/** @param life Of the instance: one waiter's abort must not take the list from the others. */
export function createScanPoller(
  { api, timing }: { readonly api: Pick<NessusApi, 'scans'>; readonly timing: Timing },
  life: AbortSignal,
): ScanPoller {
  let last: { readonly at: number; readonly list: Promise<ReadonlyMap<string, ListedScan>> } | undefined;

  const list = (): Promise<ReadonlyMap<string, ListedScan>> => {
    if (last && timing.monotonic() - last.at < FRESH_MS) return last.list;
    const made = api.scans(life).then((scans) => new Map(scans.map((scan) => [scan.id, scan])));
    const entry = { at: Infinity, list: made };
    // Fresh from when it came, and shared while it is on its way.
    const settled = (): void => {
      if (last === entry) last = { at: timing.monotonic(), list: made };
    };
    made.then(settled, settled);
    last = entry;
    return made;
  };

  return {
    async next(intervalMs, signal) {
      const now = timing.monotonic();
      await timing.sleep(intervalMs - (now % intervalMs), signal);
      return await orAborted(list(), signal);
    },
  };
}

/** Milliseconds between looks at one scan: often at first, because many are short. */
const STEPS = [1_000, 1_000, 2_000, 2_000, 5_000, 5_000, 10_000, 15_000];
const LONGEST = 30_000;
export const pollIntervalMs = (look: number): number => STEPS[look] ?? LONGEST;
