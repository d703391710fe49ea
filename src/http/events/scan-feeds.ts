import { newestEvent } from '../../scans/newest-event.ts';
import { createScanFeed, type FeedDeps, type Follower, type ScanFeed } from './scan-feed.ts';
import { frameOf } from './sse-frame.ts';

export interface ScanFeeds {
  /**
   * Joins the feed of a scan, which has to be left again. Undefined when the scan has no events: there is none of this
   * tenant. @throws AppError queue_unavailable
   */
  follow(tenant: string, scanId: string, follower: Follower): Promise<ScanFeed | undefined>;
}

/** One feed per scan, as long as somebody follows it. */
export function createScanFeeds(deps: FeedDeps): ScanFeeds {
  const feeds = new Map<string, Promise<ScanFeed | undefined>>();

  const open = async (key: string, tenant: string, scanId: string): Promise<ScanFeed | undefined> => {
    let feed: ScanFeed | undefined;
    try {
      const newest = await newestEvent(deps.queue, tenant, scanId);
      const onOver = (): void => void feeds.delete(key);
      if (newest) feed = createScanFeed(deps, { tenant, scanId, newest: frameOf(newest), onOver });
      return feed;
    } finally {
      if (!feed) feeds.delete(key);
    }
  };

  const follow: ScanFeeds['follow'] = async (tenant, scanId, follower) => {
    const key = `${tenant}\n${scanId}`;
    const opening = feeds.get(key) ?? open(key, tenant, scanId);
    feeds.set(key, opening);
    const feed = await opening;
    // The last one left while this one waited for the opening.
    if (feed?.isOver()) return follow(tenant, scanId, follower);
    feed?.join(follower);
    return feed;
  };
  return { follow };
}
