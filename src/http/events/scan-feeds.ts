import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../platform/log.ts';
import type { ScanQueue } from '../../queue/queue.ts';
import { newestEvent } from './newest-event.ts';
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
  leave(): void;
}

export interface ScanFeeds {
  /**
   * `take` gets every event after `newest()` of the feed, in order and without gaps.
   * Undefined when the scan has no events: there is none of this tenant.
   * @throws AppError queue_unavailable
   */
  follow(tenant: string, scanId: string, take: Take): Promise<ScanFeed | undefined>;
  /** How many scans are watched. */
  watched(): number;
}

interface Watched {
  newest: Frame;
  readonly followers: Set<Take>;
  readonly over: AbortController;
  /** The look under way: two at once would hand out the same events twice. */
  looking: Promise<number> | undefined;
}

const pause = (signal: AbortSignal): Promise<void> => delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);

interface Deps {
  readonly queue: Pick<ScanQueue, 'events' | 'waitForEvent'>;
  readonly log: Log;
}

export function createScanFeeds({ queue, log }: Deps): ScanFeeds {
  const watched = new Map<string, Promise<Watched | undefined>>();

  const open = async (key: string, tenant: string, scanId: string): Promise<Watched | undefined> => {
    try {
      const newest = await newestEvent(queue, tenant, scanId);
      if (newest)
        return { newest: frameOf(newest), followers: new Set(), over: new AbortController(), looking: undefined };
    } catch (error) {
      watched.delete(key);
      throw error;
    }
    watched.delete(key);
    return undefined;
  };

  const look = (feed: Watched, tenant: string, scanId: string): Promise<number> => {
    feed.looking ??= (async () => {
      try {
        const frames = (await queue.events(tenant, scanId, feed.newest.seq)).map(frameOf);
        const newest = frames.at(-1);
        if (!newest) return 0;
        feed.newest = newest;
        for (const take of feed.followers) take(frames);
        return frames.length;
      } finally {
        feed.looking = undefined;
      }
    })();
    return feed.looking;
  };

  const watch = async (feed: Watched, tenant: string, scanId: string): Promise<void> => {
    const { signal } = feed.over;
    while (!signal.aborted) {
      try {
        if ((await look(feed, tenant, scanId)) > 0) continue;
        const found = await queue.waitForEvent(tenant, scanId, feed.newest.seq, signal);
        // Only a queue that is being closed answers "no" to who did not abort.
        if (!found) await pause(signal);
      } catch (error) {
        log.warn({ err: error, scan_id: scanId }, 'events could not be read; trying again');
        await pause(signal);
      }
    }
  };

  const follow: ScanFeeds['follow'] = async (tenant, scanId, take) => {
    const key = `${tenant}\n${scanId}`;
    const opening = watched.get(key) ?? open(key, tenant, scanId);
    watched.set(key, opening);
    const feed = await opening;
    if (!feed) return undefined;
    // The last one left while this one waited for the opening.
    if (feed.over.signal.aborted) return follow(tenant, scanId, take);
    feed.followers.add(take);
    if (feed.followers.size === 1) void watch(feed, tenant, scanId);
    return {
      newest: () => feed.newest,
      refresh: async () => void (await look(feed, tenant, scanId)),
      leave() {
        if (!feed.followers.delete(take) || feed.followers.size > 0) return;
        feed.over.abort();
        if (watched.get(key) === opening) watched.delete(key);
      },
    };
  };
  return { follow, watched: () => watched.size };
}
