import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../platform/log.ts';
import type { ScanQueue } from '../../queue/queue.ts';
import type { EventLog } from './event-stream.ts';
import { frameOf, type Frame } from './sse-frame.ts';

/** Pause after a look that failed; the streams stay open meanwhile. */
const AGAIN_MS = 1_000;

/** Gets every frame after the newest of the feed it joined, in order and without gaps. */
export interface Follower {
  take(frames: readonly Frame[]): void;
}

/** The events of one scan, watched once for all who follow it in this process. */
export interface ScanFeed extends EventLog {
  /** The newest frame that was handed out. */
  newest(): Frame;
  /** Looks at once. @throws AppError queue_unavailable */
  refresh(): Promise<void>;
  /** The first one starts the watch. */
  join(follower: Follower): void;
  /** The last one ends the watch, for good. */
  leave(follower: Follower): void;
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
  readonly onOver: () => void;
}

export function createScanFeed({ queue, log }: FeedDeps, watched: Watched): ScanFeed {
  const { tenant, scanId, onOver } = watched;
  const followers = new Set<Follower>();
  const over = new AbortController();
  let { newest } = watched;
  /** The look under way: two at once would hand out the same events twice. */
  let looking: Promise<number> | undefined;

  const lookNow = async (): Promise<number> => {
    try {
      const frames = (await queue.events(tenant, scanId, newest.seq)).map(frameOf);
      newest = frames.at(-1) ?? newest;
      if (frames.length > 0) for (const follower of followers) follower.take(frames);
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
    eventsAfter: (seq, limit) => queue.events(tenant, scanId, seq, limit),
    noteFailure: (error) => log.warn({ err: error, scan_id: scanId }, 'a stream of events was cut off'),
    refresh: async () => void (await look()),
    join(follower) {
      followers.add(follower);
      if (followers.size === 1) void watch(over.signal);
    },
    leave(follower) {
      if (!followers.delete(follower) || followers.size > 0) return;
      over.abort();
      onOver();
    },
    isOver: () => over.signal.aborted,
  };
}

const pause = (signal: AbortSignal): Promise<void> => delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
