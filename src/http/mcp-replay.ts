import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

/** How much of what was sent is kept for clients that come back with `Last-Event-ID`. */
export interface ReplayLimits {
  readonly eventsPerSession: number;
  readonly bytesPerSession: number;
  /** Over all sessions of this process. */
  readonly bytes: number;
}

export const REPLAY_LIMITS: ReplayLimits = { eventsPerSession: 256, bytesPerSession: 1 << 20, bytes: 64 << 20 };

/** What one session sent. Dropped with the session. */
export interface SessionReplay extends EventStore {
  drop(): void;
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
  readonly session: Map<string, Sent>;
}

/**
 * The newest messages of all sessions, within bounds. A client that was away for longer than they reach is told that its
 * place is unknown (400), never given a gap it cannot see.
 */
export function createReplay(limits: ReplayLimits = REPLAY_LIMITS): Replay {
  /** Oldest first. */
  const all = new Map<string, Sent>();
  let total = 0;
  let count = 0;

  const remove = (eventId: string, sent: Sent): void => {
    all.delete(eventId);
    sent.session.delete(eventId);
    total -= sent.bytes;
  };
  const makeRoom = (): void => {
    for (const [eventId, sent] of all) {
      if (total <= limits.bytes) return;
      remove(eventId, sent);
    }
  };

  const forSession = (): SessionReplay => {
    const own = new Map<string, Sent>();
    let ownBytes = 0;
    const shrink = (): void => {
      ownBytes = [...own.values()].reduce((sum, { bytes }) => sum + bytes, 0);
      for (const [eventId, sent] of own) {
        if (own.size <= limits.eventsPerSession && ownBytes <= limits.bytesPerSession) return;
        remove(eventId, sent);
        ownBytes -= sent.bytes;
      }
    };
    return {
      storeEvent(streamId, message) {
        count += 1;
        const eventId = `${count.toString(36)}-${streamId.slice(0, 8)}`;
        const sent = { streamId, message, bytes: JSON.stringify(message).length + 200, session: own };
        own.set(eventId, sent);
        all.set(eventId, sent);
        total += sent.bytes;
        ownBytes += sent.bytes;
        if (own.size > limits.eventsPerSession || ownBytes > limits.bytesPerSession) shrink();
        makeRoom();
        return Promise.resolve(eventId);
      },
      getStreamIdForEventId: (eventId) => Promise.resolve(own.get(eventId)?.streamId),
      async replayEventsAfter(lastEventId, { send }) {
        const last = own.get(lastEventId);
        if (!last) throw new Error('The place to go on from is no longer known.');
        let isAfter = false;
        for (const [eventId, { streamId, message }] of own) {
          // The first event of a stream is empty: it only gives the client a place to come back to.
          if (isAfter && streamId === last.streamId && 'jsonrpc' in message) await send(eventId, message);
          if (eventId === lastEventId) isAfter = true;
        }
        return last.streamId;
      },
      drop() {
        for (const [eventId, sent] of own) remove(eventId, sent);
      },
    };
  };
  return { forSession, bytes: () => total };
}
