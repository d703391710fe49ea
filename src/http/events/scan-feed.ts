import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../platform/log.ts';
import type { ScanQueue } from '../../queue/queue.ts';
import { frameOf, type Frame } from './sse-frame.ts';

/** Pause after a look that failed; the streams stay open meanwhile. */
const AGAIN_MS = 1_000;

export type Take = (frames: readonly Frame[]) => void;

/** The events of one scan, watched once for all who follow it in this process. */
export interface ScanFeed {
  /** The newest frame that was handed out. */
  newest(): Frame;
  /** Looks at once. @throws AppError queue_unavailable */
  refresh(): Promise<void>;
  /** `take` gets every frame after `newest()`, in order and without gaps. The first one starts the watch. */
  join(take: Take): void;
  /** The last one ends the watch, for good. True when this was it. */
  leave(take: Take): boolean;
  isOver(): boolean;
}

export interface FeedDeps {
  readonly queue: Pick<ScanQueue, 'events' | 'waitForEvent'>;
  readonly log: Log;
}

interface Watched {
  readonly tenant: string;
  readonly scanId: string;
  readonly newest: Frame;
}

export function createScanFeed({ queue, log }: FeedDeps, { tenant, scanId, newest: start }: Watched): ScanFeed {
  const followers = new Set<Take>();
  const over = new AbortController();
  let newest = start;
  /** The look under way: two at once would hand out the same events twice. */
  let looking: Promise<number> | undefined;

  const lookNow = async (): Promise<number> => {
    try {
      const frames = (await queue.events(tenant, scanId, newest.seq)).map(frameOf);
      newest = frames.at(-1) ?? newest;
      if (frames.length > 0) for (const take of followers) take(frames);
      return frames.length;
    } finally {
      looking = undefined;
    }
  };
  const look = (): Promise<number> => {
    looking ??= lookNow();
    return looking;
  };

  const watch = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        if ((await look()) > 0) continue;
        const found = await queue.waitForEvent(tenant, scanId, newest.seq, signal);
        // Only a queue that is being closed answers "no" to who did not abort.
        if (!found) await pause(signal);
      } catch (error) {
        log.warn({ err: error, scan_id: scanId }, 'events could not be read; trying again');
        await pause(signal);
      }
    }
  };

  return {
    newest: () => newest,
    refresh: async () => void (await look()),
    join(take) {
      followers.add(take);
      if (followers.size === 1) void watch(over.signal);
    },
    leave(take) {
      if (!followers.delete(take) || followers.size > 0) return false;
      over.abort();
      return true;
    },
    isOver: () => over.signal.aborted,
  };
}

const pause = (signal: AbortSignal): Promise<void> => delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
