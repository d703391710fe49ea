import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Router,
} from 'express';
import type { HttpSettings } from '../config/settings-http.ts';
import { AppError } from '../model/errors.ts';
import { cleanLine } from '../model/untrusted.ts';
import { requireCaller } from './authentication.ts';
import type { HttpDeps } from './deps.ts';
import { sendProblem } from './problem.ts';
import { HttpRefusal, refusalOf } from './refusal.ts';
import { hintForRest } from './rest/route-words.ts';
import { traceIdOf, traceRequests } from './request-trace.ts';
import { checkHostAndOrigin, crossOrigin, securityHeaders } from './security.ts';

/** What the other rooms put into the server. Each is a router of its own. */
export interface HttpParts {
  /** Before everything else, so that refused requests are counted as well. */
  readonly first?: RequestHandler;
  /**
   * At the root, without a caller: health, metrics, resource metadata, signed downloads. They look themselves after who
   * may see them.
   */
  readonly open?: readonly Router[];
  /** At /queues; asks for a password itself, as browsers need it. */
  readonly queues?: Router;
  /** At /api, behind the authenticator. */
  readonly rest?: Router;
  /** At /mcp, behind the authenticator. */
  readonly mcp?: Router;
  /** `WWW-Authenticate` for callers nobody knows; with OIDC it names the resource metadata. */
  readonly challenge?: (request: Request) => string;
}

const NO_ROUTE = 'GET /api/openapi.json has the routes of REST; MCP is at /mcp.';

/** What the shell itself stands on. */
export type ShellDeps = Pick<HttpDeps, 'authenticator' | 'closing' | 'log'>;

/** The whole server, without a socket. Every request has passed the checks of `Host` and `Origin` before any router. */
export function createHttpApp(deps: ShellDeps, settings: HttpSettings, parts: HttpParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', settings.trust_proxy.length > 0 ? settings.trust_proxy : false);
  app.set('query parser', 'simple');
  if (parts.first) app.use(parts.first);
  app.use(
    inTurn([
      traceRequests,
      securityHeaders(settings),
      checkHostAndOrigin(settings),
      crossOrigin(settings),
      (_request, response, next) => {
        // A client that keeps its connection would find the next server only after an error.
        if (deps.closing.aborted) response.set('Connection', 'close');
        next();
      },
    ]),
  );
  for (const router of parts.open ?? []) app.use(router);
  if (parts.queues) app.use('/queues', parts.queues);
  if (parts.rest) app.use('/api', requireCaller(deps), parts.rest);
  if (parts.mcp) app.use('/mcp', requireCaller(deps), parts.mcp);
  app.use((request) => {
    throw new HttpRefusal(404, `There is no ${request.method} ${cleanLine(request.path, 200)}.`, NO_ROUTE);
  });
  app.use(onError(deps, parts));
  return app;
}

/** Handlers as one: a router looks at the path of a request anew for each. */
function inTurn(handlers: readonly RequestHandler[]): RequestHandler {
  return (request, response, next) => {
    const from = (index: number): void => {
      const handler = handlers[index];
      if (!handler) next();
      else void handler(request, response, (error?: unknown) => (error ? next(error) : from(index + 1)));
    };
    from(0);
  };
}

function onError({ log }: ShellDeps, { challenge }: HttpParts): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const traceId = traceIdOf(request);
    const told = refusalOf(error) ?? error;
    if (!(told instanceof AppError)) {
      log.error({ err: error, trace_id: traceId, method: request.method, path: request.path }, 'defect in a request');
    }
    const status = told instanceof HttpRefusal ? { status: told.status } : {};
    sendProblem(response, told, {
      traceId,
      ...status,
      ...(challenge ? { challenge: challenge(request) } : {}),
      ...(/^\/api(\/|$)/i.test(request.path) ? { hintIn: hintForRest } : {}),
    });
  };
}
