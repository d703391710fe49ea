import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

/** How much of what was sent is kept for clients that come back with `Last-Event-ID`. */
export interface ReplayLimits {
  readonly eventsPerSession: number;
  readonly bytesPerSession: number;
  /** Over all sessions of this process. */
  readonly bytes: number;
}

export const REPLAY_LIMITS: ReplayLimits = { eventsPerSession: 64, bytesPerSession: 1 << 20, bytes: 32 << 20 };

/**
 * What one session sent. Dropped with the session. Without `getStreamIdForEventId`: the SDK would then refuse (409) a
 * client that comes back before the server has noticed that its connection is gone, instead of ending the old stream.
 */
export interface SessionReplay extends Omit<EventStore, 'getStreamIdForEventId'> {
  /** The stream an event was sent on; undefined when it is no longer known. */
  streamOf(eventId: string): string | undefined;
  /**
   * What was sent on its stream after an event, when nothing more will be: it ends with an answer. Undefined while more
   * may come, and for an event that is not known.
   */
  restAfter(lastEventId: string): readonly SentEvent[] | undefined;
  drop(): void;
}

export interface SentEvent {
  readonly eventId: string;
  readonly message: JSONRPCMessage;
}

export interface Replay {
  forSession(): SessionReplay;
  /** Bytes kept now, over all sessions. */
  bytes(): number;
}

interface Sent {
  readonly streamId: string;
  readonly message: JSONRPCMessage;
  readonly bytes: number;
  readonly session: Kept;
}

/** Of one session, oldest first. */
interface Kept {
  readonly events: Map<string, Sent>;
  bytes: number;
}

/**
 * The newest messages of all sessions, within bounds. A client that was away for longer than they reach is told that its
 * place is unknown (400), never given a gap it cannot see.
 */
export function createReplay(limits: ReplayLimits = REPLAY_LIMITS): Replay {
  /** Of all sessions, oldest first. */
  const all = new Map<string, Sent>();
  let total = 0;
  let count = 0;

  const account = (eventId: string, sent: Sent, sign: 1 | -1): void => {
    total += sign * sent.bytes;
    sent.session.bytes += sign * sent.bytes;
    for (const events of [all, sent.session.events]) {
      if (sign === 1) events.set(eventId, sent);
      else events.delete(eventId);
    }
  };
  /** The newest one stays, whatever its size: somebody may be about to read it. */
  const shrink = (events: Map<string, Sent>, fits: () => boolean): void => {
    for (const [eventId, sent] of events) {
      if (fits() || events.size === 1) return;
      account(eventId, sent, -1);
    }
  };

  const forSession = (): SessionReplay => {
    const own: Kept = { events: new Map(), bytes: 0 };
    const after = (lastEventId: string, last: Sent): readonly SentEvent[] => {
      const events = [...own.events].map(([eventId, { streamId, message }]) => ({ eventId, streamId, message }));
      const from = events.findIndex(({ eventId }) => eventId === lastEventId) + 1;
      // The first event of a stream is empty: it only gives the client a place to come back to.
      return events.slice(from).filter(({ streamId, message }) => streamId === last.streamId && 'jsonrpc' in message);
    };
    return {
      storeEvent(streamId, message) {
        count += 1;
        const eventId = `${count.toString(36)}-${streamId.slice(0, 8)}`;
        account(eventId, { streamId, message, bytes: JSON.stringify(message).length + 200, session: own }, 1);
        shrink(own.events, () => own.events.size <= limits.eventsPerSession && own.bytes <= limits.bytesPerSession);
        shrink(all, () => total <= limits.bytes);
        return Promise.resolve(eventId);
      },
      streamOf: (eventId) => own.events.get(eventId)?.streamId,
      async replayEventsAfter(lastEventId, { send }) {
        const last = own.events.get(lastEventId);
        if (!last) throw new Error('The place to go on from is no longer known.');
        for (const { eventId, message } of after(lastEventId, last)) await send(eventId, message);
        return last.streamId;
      },
      restAfter(lastEventId) {
        const last = own.events.get(lastEventId);
        if (!last) return undefined;
        const rest = after(lastEventId, last);
        return isAnswer(rest.at(-1)?.message ?? last.message) ? rest : undefined;
      },
      drop() {
        for (const [eventId, sent] of own.events) account(eventId, sent, -1);
      },
    };
  };
  return { forSession, bytes: () => total };
}

const isAnswer = (message: JSONRPCMessage): boolean => 'result' in message || 'error' in message;
