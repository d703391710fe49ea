import { Router, type Request, type RequestHandler, type Response } from 'express';
import type { HttpSettings } from '../config/settings-http.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Asker } from '../tools/server.ts';
import { askOf } from './ask.ts';
import { readJsonBody } from './json-body.ts';
import { boundsFor, createInFlight, type InFlight, type InFlightBounds } from './in-flight.ts';
import { answerMcpError } from './mcp-errors.ts';
import { checkMessage, isBeginning, traceIdOfMessage } from './mcp-message.ts';
import { createReplay } from './mcp-replay.ts';
import { createMcpSessions, type McpSession } from './mcp-sessions.ts';
import { watchStreams } from './mcp-streams.ts';
import { createLink, type Link, type MakeServer } from './mcp-link.ts';
import { HttpRefusal } from './refusal.ts';
import { setTraceId, traceIdOf } from './request-trace.ts';

export interface McpEndpointDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly closing: AbortSignal;
  readonly makeServer: MakeServer;
  readonly bounds?: Partial<InFlightBounds>;
}

export type McpSettings = Pick<
  HttpSettings,
  'mcp_mode' | 'max_sessions' | 'max_sessions_per_tenant' | 'session_idle_seconds' | 'max_body_kb'
>;

export interface McpEndpoint {
  /** To be mounted behind `requireCaller`. */
  readonly router: Router;
  /** Tells listening clients to come back, and ends their streams; calls in flight go on. */
  release(): void;
  close(): Promise<void>;
  /** Sessions there are now. */
  sessionCount(): number;
}

/** How often idle sessions and readers that do not read are looked for. */
const SWEEP_MS = 5_000;

/**
 * MCP over Streamable HTTP. A session lives in this process and belongs to the caller who began it; a request that
 * stands alone is answered as JSON and leaves nothing behind.
 */
export function createMcpEndpoint(deps: McpEndpointDeps, settings: McpSettings): McpEndpoint {
  const now = (): number => deps.clock.monotonic();
  const limits = { maxSessions: settings.max_sessions, maxPerTenant: settings.max_sessions_per_tenant };
  const sessions = createMcpSessions<Link>({ ...limits, idleMs: settings.session_idle_seconds * 1000 }, now);
  const inFlight = createInFlight(boundsFor(settings.max_body_kb * 1024, deps.bounds));
  const replay = createReplay();
  const streams = watchStreams(sessions, now);
  const sweep = tendEvery(Math.min(SWEEP_MS, settings.session_idle_seconds * 250), () => {
    streams.tend();
    void sessions.expire();
  });

  const inSession = async (session: McpSession<Link>, request: Request, response: Response): Promise<void> => {
    sessions.occupy(session, response);
    await session.content?.handle(request, response, askerOf(deps, request));
  };
  const begin = async (request: Request, response: Response): Promise<void> => {
    const session = sessions.begin(askOf(request).caller);
    const events = replay.forSession();
    const link = await createLink(deps, { sessionId: session.id, events, onEnd: () => sessions.end(session.id) });
    session.content = link;
    try {
      await inSession(session, request, response);
    } finally {
      // The transport itself refused it: wrong headers, or a batch.
      if (!link.hasBegun()) await sessions.end(session.id);
    }
  };
  const alone = async (request: Request, response: Response): Promise<void> => {
    const link = await createLink(deps, {});
    response.once('close', () => void link.close());
    await link.handle(request, response, askerOf(deps, request));
  };
  const route: RequestHandler = async (request, response) => {
    checkMethod(request, response);
    if (request.method === 'POST') request.body = await messageOf(request, response, inFlight, settings);
    const way = wayOf(request, response, settings.mcp_mode);
    if (way === 'begin') return begin(request, response);
    if (way === 'alone') return alone(request, response);
    const session = sessions.find(way.sessionId, askOf(request).caller);
    if (!session) throw new HttpRefusal(404, 'Session not found', 'Begin a new session with initialize.');
    return inSession(session, request, response);
  };

  const router = Router();
  router.all('/', route);
  router.use(answerMcpError(deps.log));
  return {
    router,
    release: () => streams.release(),
    async close() {
      clearInterval(sweep);
      streams.release();
      await Promise.all(sessions.all().map(({ id }) => sessions.end(id)));
    },
    sessionCount: () => sessions.all().length,
  };
}

const tendEvery = (ms: number, tend: () => void): NodeJS.Timeout => setInterval(tend, ms).unref();

function checkMethod(request: Request, response: Response): void {
  if (!['POST', 'GET', 'DELETE'].includes(request.method)) throw notAllowed(response, 'GET, POST, DELETE');
}

/** What was posted. The trace it names itself becomes that of the request. @throws HttpRefusal for what is no message */
async function messageOf(
  request: Request,
  response: Response,
  inFlight: InFlight,
  { max_body_kb: kb }: McpSettings,
): Promise<unknown> {
  const maxBytes = kb * 1024;
  const { tenant } = askOf(request).caller;
  const declared = request.headers['content-length'];
  const place = inFlight.enter(tenant, response, Math.min(maxBytes, Number(declared ?? maxBytes)));
  const body = await readJsonBody(request, maxBytes, (bytes) => place.weigh(bytes));
  checkMessage(body);
  const traceId = traceIdOfMessage(body);
  if (traceId !== undefined) setTraceId(request, response, traceId);
  return body;
}

/** How a request is to be answered. @throws HttpRefusal for what needs a session and names none */
function wayOf(
  request: Request,
  response: Response,
  mode: HttpSettings['mcp_mode'],
): 'begin' | 'alone' | { readonly sessionId: string } {
  const sessionId = request.get('mcp-session-id');
  if (sessionId !== undefined) return { sessionId };
  const isMessage = request.method === 'POST';
  if (mode === 'stateless' && !isMessage) throw notAllowed(response, 'POST');
  if (mode !== 'stateless' && isMessage && isBeginning(request.body)) return 'begin';
  if (mode !== 'stateful' && isMessage) return 'alone';
  throw new HttpRefusal(400, 'Mcp-Session-Id header is required', 'Begin a session with initialize.');
}

function askerOf({ closing }: McpEndpointDeps, request: Request): Asker {
  return { caller: askOf(request).caller, traceId: traceIdOf(request), closing };
}

function notAllowed(response: Response, allowed: string): HttpRefusal {
  response.set('Allow', allowed);
  return new HttpRefusal(405, 'Method not allowed.', `Use ${allowed}.`);
}
