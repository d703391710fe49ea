import { Router, type Request, type RequestHandler, type Response } from 'express';
import { EventsInput } from '../../model/contract/events.ts';
import { runTool } from '../../tools/run-tool.ts';
import { askOf } from '../ask.ts';
import type { HttpDeps } from '../deps.ts';
import type { StreamLimits } from '../events/event-streams.ts';
import { createFollowScan } from '../events/follow-scan.ts';
import { boundsFor, createInFlight, type InFlightBounds } from '../in-flight.ts';
import { refuseMethod } from '../refusal.ts';
import { sendAccepted, sendFile, sendJson, sendStatus } from './answers.ts';
import { openApiDocument } from './open-api.ts';
import { argumentsOf, type Arguments } from './read-arguments.ts';
import { ROUTES, type AnswerKind, type Route } from './routes.ts';

export type RestDeps = Pick<HttpDeps, 'scans' | 'queue' | 'clock' | 'log' | 'closing'>;

export interface RestOptions {
  readonly streams?: Partial<StreamLimits>;
  /** Largest body of a POST, in KiB. */
  readonly maxBodyKb?: number;
  readonly bounds?: Partial<InFlightBounds>;
}

/** Room for a thousand targets of usual length. */
const MAX_BODY_KB = 1024;

type Answer = Arguments;
type Send = (request: Request, response: Response, answer: Answer, args: Arguments) => Promise<void> | void;

/** The use cases as REST, to be mounted behind the authenticator. Errors go to the shell, which makes problem details. */
export function createRestRouter(deps: RestDeps, options: RestOptions = {}): Router {
  const { streams, maxBodyKb = MAX_BODY_KB, bounds } = options;
  const follow = createFollowScan(deps, streams);
  const sends: Readonly<Record<AnswerKind, Send>> = {
    json: (_request, response, answer) => sendJson(response, 200, answer),
    accepted: (_request, response, answer) => sendAccepted(response, answer),
    status: sendStatus,
    file: (request, response, answer, args) => sendFile(request, response, answer, String(args['scan_id'])),
    events: (request, response, answer) => follow(EventsInput.parse(answer), request, response),
  };
  const maxBytes = maxBodyKb * 1024;
  const inFlight = createInFlight(boundsFor(maxBytes, bounds));
  const handlerOf =
    ({ method, tool, answer }: Route): RequestHandler =>
    async (request, response) => {
      const ask = askOf(request);
      // A POST may wait for its scan, and keeps what it asked for meanwhile.
      const place = method === 'post' ? inFlight.enter(ask.caller.tenant, response, 0) : undefined;
      const onSize = (bytes: number): void => place?.weigh(bytes);
      const args = await argumentsOf(request, { method, takesKey: answer === 'accepted', maxBytes, onSize });
      const told = await runTool(tool, args, () => Promise.resolve({ scans: deps.scans, ask, onProgress: undefined }));
      await sends[answer](request, response, told, args);
    };
  const router = Router({ caseSensitive: true });
  for (const route of ROUTES) {
    router[route.method](patternOf(route.path), handlerOf(route));
  }
  router.get('/openapi.json', (_request, response) => sendJson(response, 200, openApiDocument()));
  for (const [path, methods] of methodsByPath()) router.all(patternOf(path), refuseMethod(methods));
  return router;
}

const patternOf = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

function methodsByPath(): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>([['/openapi.json', ['GET', 'HEAD']]]);
  for (const { path, method } of ROUTES)
    methods.set(path, [...(methods.get(path) ?? []), ...(method === 'get' ? ['GET', 'HEAD'] : ['POST'])]);
  return methods;
}
