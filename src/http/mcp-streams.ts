import type { Response } from 'express';
import { RETRY_MS, type Link } from './mcp-link.ts';
import type { McpSession, McpSessions } from './mcp-sessions.ts';

/** A listening client asks anew, and shows its key again, after this long. */
const MAX_STREAM_MS = 15 * 60_000;
/** A reader that takes nothing for this long is dropped: what waits for it lies in memory. It may come back. */
const MAX_STALL_MS = 20_000;

export interface StreamWatch {
  /** Called now and then: ends streams that are old, drops readers that do not read. */
  tend(): void;
  /** Ends the stream of every client that listens, and says when to come back. */
  release(): void;
}

interface Seen {
  readonly since: number;
  written: number;
  movedAt: number;
}

/** Looks after the event streams of all sessions. @param now Milliseconds of a clock that never goes back. */
export function watchStreams(sessions: Pick<McpSessions<Link>, 'all'>, now: () => number): StreamWatch {
  const seen = new WeakMap<Response, Seen>();

  const tendOne = (session: McpSession<Link>, response: Response): void => {
    const written = response.socket?.bytesWritten ?? 0;
    const known = seen.get(response) ?? { since: now(), written, movedAt: now() };
    seen.set(response, known);
    if (!response.writableNeedDrain || written !== known.written) {
      known.written = written;
      known.movedAt = now();
    }
    if (now() - known.movedAt > MAX_STALL_MS) response.destroy();
    else if (isListening(response) && now() - known.since > MAX_STREAM_MS) endStream(session, response);
  };

  return {
    tend() {
      for (const session of sessions.all()) for (const response of session.open) tendOne(session, response);
    },
    release() {
      for (const session of sessions.all()) {
        for (const response of session.open) if (isListening(response)) endStream(session, response);
      }
    },
  };
}

const isListening = ({ req, headersSent }: Response): boolean => req.method === 'GET' && headersSent;

/** Between two events: the SDK writes each as one piece. */
function endStream({ content }: McpSession<Link>, response: Response): void {
  if (!response.writableEnded) response.write(`retry: ${RETRY_MS}\n\n`);
  content?.endListening();
  // A stream that was taken up again after a break is none the SDK would end.
  setImmediate(() => response.end());
}
