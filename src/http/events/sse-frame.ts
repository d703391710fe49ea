import type { StreamedEvent } from '../../model/contract/events.ts';
import { isFinal } from '../../model/scan.ts';
import type { ScanEvent } from '../../queue/queue.ts';

/** One event as it goes over the wire: made once, sent to every stream of its scan. */
export interface Frame {
  readonly seq: number;
  readonly bytes: Buffer;
  /** The state it tells of is final. */
  readonly isFinal: boolean;
}

/**
 * Source: WHATWG HTML, "Server-sent events". Events carry no name, so that `EventSource.onmessage` gets them. The bytes
 * depend on the event alone: a stream that resumes gets the same ones.
 */
export function frameOf({ scanId, seq, at, state, progress }: ScanEvent): Frame {
  const data: StreamedEvent = {
    scan_id: scanId,
    seq,
    at: new Date(at).toISOString(),
    state,
    final: isFinal(state),
    ...(progress && { progress }),
  };
  return { seq, isFinal: data.final, bytes: Buffer.from(`id: ${seq}\ndata: ${JSON.stringify(data)}\n\n`) };
}

/** A comment: proxies see traffic, and a reader that has gone is noticed. */
export const HEARTBEAT = Buffer.from(': still here\n\n');

/** Tells the reader when to come back after its stream has ended. */
export const comeBack = (afterMs: number): Buffer => Buffer.from(`retry: ${Math.round(afterMs)}\n\n`);
