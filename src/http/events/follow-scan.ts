import type { Request, Response } from 'express';
import { EventsInput } from '../../model/contract/events.ts';
import { requireScope } from '../../model/caller.ts';
import { AppError } from '../../model/errors.ts';
import type { Ask } from '../../scans/deps.ts';
import { askOf } from '../ask.ts';
import type { HttpDeps } from '../deps.ts';
import { EventStream } from './event-stream.ts';
import { createEventStreams, STREAM_HEADERS, type StreamLimits } from './event-streams.ts';
import type { Follower, ScanFeed } from './scan-feed.ts';
import { createScanFeeds } from './scan-feeds.ts';
import type { Frame } from './sse-frame.ts';

/** Answers with the events of a scan; resolves when the stream is under way or there is nothing to tell. */
export type FollowScan = (input: EventsInput, request: Request, response: Response) => Promise<void>;

type Deps = Pick<HttpDeps, 'scans' | 'queue' | 'clock' | 'log' | 'closing'>;

/** @throws AppError scan_not_found, forbidden, rate_limited, invalid_request, queue_unavailable */
export function createFollowScan(deps: Deps, limits?: Partial<StreamLimits>): FollowScan {
  const { queue, log } = deps;
  const feeds = createScanFeeds({ queue, log });
  const streams = createEventStreams({ ...deps, ...(limits && { limits }) });

  return async (input, request, response) => {
    const ask = askOf(request);
    const after = lastSeen(request) ?? input.last_event_id;
    await checkAccess(deps, input, ask);
    const { tenant } = ask.caller;
    const { scan_id: scanId } = input;
    const place: Place = { stream: undefined, take: takeIfOpen };
    const feed = await feeds.follow(tenant, scanId, place);
    if (!feed) throw new AppError('scan_not_found', 'There is no scan with this id.');
    try {
      const from = await placeOf(feed, after);
      if (from === 'over') response.status(204);
      else if (request.method === 'HEAD') response.set(STREAM_HEADERS);
      if (from === 'over' || request.method === 'HEAD' || ask.signal.aborted) {
        response.end();
        feed.leave(place);
        return;
      }
      const reader = streams.open(response, tenant, () => feed.leave(place));
      letGo(request);
      place.stream = new EventStream(reader, feed, from);
    } catch (error) {
      feed.leave(place);
      throw error;
    }
  };
}

/** In the feed from before the stream is open, so that no event is missed. */
interface Place extends Follower {
  stream: EventStream | undefined;
}

function takeIfOpen(this: Place, frames: readonly Frame[]): void {
  this.stream?.take(frames);
}

/**
 * An open stream keeps its request, and a request the whole way it took through the routers: two kilobytes, of ten
 * thousand streams each, that nobody asks for any more.
 */
function letGo(request: Request): void {
  request.next = undefined;
  request.headers = {};
  request.rawHeaders = [];
}

/** By the use case, so that who may not see the scan hears the same here as anywhere. */
async function checkAccess({ scans }: Deps, { scan_id }: EventsInput, ask: Ask): Promise<void> {
  requireScope(ask.caller, 'scan:read');
  await scans.status({ scan_id }, ask);
}

/** Source: WHATWG HTML, the header a reader sends when it comes back. */
function lastSeen(request: Request): number | undefined {
  const text = request.get('last-event-id')?.trim() ?? '';
  if (text === '') return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new AppError('invalid_request', 'Last-Event-ID must be the id of an event of this stream, a whole number.');
}

/** After which event the stream begins: the one before the newest, so that the state comes first, or where it was cut. */
async function placeOf(feed: ScanFeed, after: number | undefined): Promise<number | 'over'> {
  if (after === undefined) return feed.newest().seq - 1;
  // Another server may have been quicker to see the newest.
  if (after >= feed.newest().seq) await feed.refresh();
  const { seq, isFinal } = feed.newest();
  if (after === seq && isFinal) return 'over';
  // An id from the future is none of ours: as if none had been sent.
  return after > seq ? seq - 1 : after;
}
