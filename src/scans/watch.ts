import { requireScope } from '../model/caller.ts';
import { isFinal } from '../model/scan.ts';
import type { ScanEvent } from '../queue/queue.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { findScan } from './find-scan.ts';
import { newestEvent } from './newest-event.ts';

type Deps = Pick<ScanDeps, 'queue'>;

export type WatchScan = (scanId: string, ask: Ask, afterSeq?: number) => AsyncGenerator<ScanEvent>;

/**
 * Every event of a scan after `afterSeq`, as it comes; ends after the one of its end, and when `ask.signal` aborts.
 * @throws AppError scan_not_found, queue_unavailable, forbidden
 */
export function createWatchScan({ queue }: Deps): WatchScan {
  return async function* watch(scanId, { caller, signal }, afterSeq = 0) {
    requireScope(caller, 'scan:read');
    const { tenant } = caller;
    const { state } = await findScan(queue, tenant, scanId);
    let seen = afterSeq;
    while (!signal.aborted) {
      const events = await queue.events(tenant, scanId, seen);
      for (const event of events) {
        seen = event.seq;
        yield event;
        if (isFinal(event.state)) return;
      }
      // Its end was before `afterSeq`.
      if (isFinal(state) && events.length === 0) return;
      await queue.waitForEvent(tenant, scanId, seen, signal);
    }
  };
}

export type NewestEvent = (scanId: string, ask: Ask) => Promise<number>;

/** Sequence number of the last event of a scan. @throws AppError scan_not_found, queue_unavailable */
export function createNewestEvent({ queue }: Deps): NewestEvent {
  return async (scanId, { caller }) => {
    requireScope(caller, 'scan:read');
    const { tenant } = caller;
    await findScan(queue, tenant, scanId);
    return (await newestEvent(queue, tenant, scanId))?.seq ?? 0;
  };
}
