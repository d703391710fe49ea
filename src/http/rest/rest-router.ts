import { Router, type Request, type RequestHandler, type Response } from 'express';
import { EventsInput } from '../../model/contract/events.ts';
import { runTool } from '../../tools/run-tool.ts';
import { askOf } from '../ask.ts';
import type { HttpDeps } from '../deps.ts';
import type { StreamLimits } from '../events/event-streams.ts';
import { createFollowScan } from '../events/follow-scan.ts';
import { HttpRefusal } from '../refusal.ts';
import { sendAccepted, sendFile, sendJson, sendStatus } from './answers.ts';
import { openApiDocument } from './open-api.ts';
import { argumentsOf, type Arguments } from './read-arguments.ts';
import { ROUTES, type AnswerKind, type Route } from './routes.ts';

export type RestDeps = Pick<HttpDeps, 'scans' | 'queue' | 'clock' | 'log' | 'closing'>;

export interface RestOptions {
  readonly streams?: Partial<StreamLimits>;
}

type Answer = Arguments;
type Send = (request: Request, response: Response, answer: Answer, args: Arguments) => Promise<void> | void;

/** The use cases as REST, to be mounted behind the authenticator. Errors go to the shell, which makes problem details. */
export function createRestRouter(deps: RestDeps, { streams }: RestOptions = {}): Router {
  const follow = createFollowScan(deps, streams);
  const sends: Readonly<Record<AnswerKind, Send>> = {
    json: (_request, response, answer) => sendJson(response, 200, answer),
    accepted: (_request, response, answer) => sendAccepted(response, answer),
    status: sendStatus,
    file: (request, response, answer, args) => sendFile(request, response, answer, String(args['scan_id'])),
    events: (request, response, answer) => follow(EventsInput.parse(answer), request, response),
  };
  const handlerOf =
    ({ method, tool, answer }: Route): RequestHandler =>
    async (request, response) => {
      const ask = askOf(request);
      const args = await argumentsOf(request, { method, takesKey: answer === 'accepted' });
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

const refuseMethod =
  (methods: readonly string[]): RequestHandler =>
  ({ method }, response) => {
    response.set('Allow', methods.join(', '));
    throw new HttpRefusal(405, `This route takes ${methods.join(', ')}, not ${method}.`);
  };
