import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Request, Response } from 'express';
import type { Log } from '../platform/log.ts';
import { AppError } from '../model/errors.ts';
import type { Asker } from '../tools/server.ts';
import { cancelledIn } from './mcp-message.ts';
import { HttpRefusal } from './refusal.ts';
import type { SentEvent, SessionReplay } from './mcp-replay.ts';
import type { SessionContent } from './mcp-sessions.ts';

/** When clients whose stream ended come back, in milliseconds. */
export const RETRY_MS = 2_000;

/** Source: LSP 3.17, ErrorCodes.RequestCancelled. MCP has none. */
const REQUEST_CANCELLED = -32_800;

/** Makes the MCP server of one session, or of one request that stands alone. */
export type MakeServer = (askerOf: (authInfo: object | undefined) => Asker) => Server;

/** One MCP server and the transport it is connected to. */
export interface Link extends SessionContent {
  handle(request: Request, response: Response, asker: Asker): Promise<void>;
  /** The client's `initialize` was taken. */
  hasBegun(): boolean;
  /** Ends the stream of a client that listens; it comes back. */
  endListening(): void;
}

export interface LinkOptions {
  /** Absent: for one request that stands alone, answered as JSON. */
  readonly sessionId?: string;
  readonly events?: SessionReplay;
  readonly onEnd?: () => Promise<void>;
}

/** Connects a new MCP server to a new transport. */
export async function createLink(
  { makeServer, log }: { makeServer: MakeServer; log: Log },
  { sessionId, events, onEnd }: LinkOptions,
): Promise<Link> {
  /** The SDK hands the same object on with each message of a request. */
  const askers = new WeakMap<object, Asker>();
  /** All messages of a link are of one caller: a session is found by no other. */
  let latest: Asker | undefined;
  const server = makeServer((authInfo) => {
    const asker = (authInfo && askers.get(authInfo)) ?? latest;
    if (!asker) throw new AppError('internal_error', 'An MCP message came without its caller.');
    return asker;
  });
  const transport = new StreamableHTTPServerTransport(
    sessionId === undefined
      ? { enableJsonResponse: true }
      : {
          sessionIdGenerator: () => sessionId,
          retryInterval: RETRY_MS,
          ...(events ? { eventStore: events } : {}),
          ...(onEnd ? { onsessionclosed: onEnd } : {}),
        },
  );
  server.onerror = (error) => log.debug({ err: error }, 'MCP transport');
  await server.connect(transport);
  /** The SDK sends nothing for a request that was cancelled, and its stream would stay open as long as the client does. */
  const endCancelled = (ids: readonly (string | number)[]): void => {
    const error = { code: REQUEST_CANCELLED, message: 'The request was cancelled.' };
    for (const id of ids) {
      // Fails for what was answered before, or never asked.
      transport.send({ jsonrpc: '2.0', id, error }).catch(() => undefined);
    }
  };
  /** Several answers may come on one stream then: which is its last one is not known here. */
  let hasBatches = false;
  return {
    handle(request, response, asker) {
      const lastEventId = request.method === 'GET' ? request.get('last-event-id') : undefined;
      if (lastEventId !== undefined && events && events.streamOf(lastEventId) === undefined) throw placeUnknown();
      const rest = lastEventId === undefined || hasBatches ? undefined : events?.restAfter(lastEventId);
      if (rest) return Promise.resolve(sendRest(response, rest));
      const auth: AuthInfo = { token: '', clientId: asker.caller.name, scopes: [...asker.caller.scopes] };
      askers.set(auth, asker);
      latest = asker;
      const { body }: { body: unknown } = request;
      // The request is kept until its answer is over, its body only by whoever works on it.
      request.body = undefined;
      hasBatches ||= Array.isArray(body);
      const cancelled = cancelledIn(body);
      const handled = transport.handleRequest(Object.assign(request, { auth }), response, body);
      return cancelled.length === 0 ? handled : handled.then(() => endCancelled(cancelled));
    },
    hasBegun: () => transport.sessionId !== undefined,
    endListening: () => transport.closeStandaloneSSEStream(),
    async close() {
      events?.drop();
      await server.close();
    },
  };
}

const placeUnknown = (): HttpRefusal =>
  new HttpRefusal(400, 'The place to go on from is no longer known.', 'Begin a new session with initialize.');

/** To a client that comes back to a stream which is over: the SDK would keep it open. 204 when it has seen everything. */
function sendRest(response: Response, rest: readonly SentEvent[]): void {
  const frames = rest.map(
    ({ eventId, message }) => `event: message\nid: ${eventId}\ndata: ${JSON.stringify(message)}\n\n`,
  );
  if (frames.length === 0) response.status(204).end();
  else response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' }).end(frames.join(''));
}
