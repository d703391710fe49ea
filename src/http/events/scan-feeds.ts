import { newestEvent } from './newest-event.ts';
import { createScanFeed, type FeedDeps, type ScanFeed, type Take } from './scan-feed.ts';
import { frameOf } from './sse-frame.ts';

/** A feed as one of its followers has it. */
export interface Followed extends Pick<ScanFeed, 'newest' | 'refresh'> {
  leave(): void;
}

export interface ScanFeeds {
  /**
   * `take` gets every event after the newest of the feed, in order and without gaps. Undefined when the scan has no
   * events: there is none of this tenant. @throws AppError queue_unavailable
   */
  follow(tenant: string, scanId: string, take: Take): Promise<Followed | undefined>;
}

/** One feed per scan, as long as somebody follows it. */
export function createScanFeeds(deps: FeedDeps): ScanFeeds {
  const feeds = new Map<string, Promise<ScanFeed | undefined>>();

  const open = async (key: string, tenant: string, scanId: string): Promise<ScanFeed | undefined> => {
    let feed: ScanFeed | undefined;
    try {
      const newest = await newestEvent(deps.queue, tenant, scanId);
      if (newest) feed = createScanFeed(deps, { tenant, scanId, newest: frameOf(newest) });
      return feed;
    } finally {
      if (!feed) feeds.delete(key);
    }
  };

  const follow: ScanFeeds['follow'] = async (tenant, scanId, take) => {
    const key = `${tenant}\n${scanId}`;
    const opening = feeds.get(key) ?? open(key, tenant, scanId);
    feeds.set(key, opening);
    const feed = await opening;
    if (!feed) return undefined;
    // The last one left while this one waited for the opening.
    if (feed.isOver()) return follow(tenant, scanId, take);
    feed.join(take);
    return {
      newest: () => feed.newest(),
      refresh: () => feed.refresh(),
      leave() {
        if (feed.leave(take) && feeds.get(key) === opening) feeds.delete(key);
      },
    };
  };
  return { follow };
}
