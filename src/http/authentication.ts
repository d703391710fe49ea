import type { Request, RequestHandler } from 'express';
import type { Ask } from '../scans/deps.ts';
import { setAsk } from './ask.ts';
import type { Standing } from './auth/standing.ts';
import type { HttpDeps } from './deps.ts';
import { traceIdOf } from './request-trace.ts';

/** Lets a request pass once it is known who sends it; `askOf` says who, from then on. Errors go to `next`. */
export function requireCaller({ authenticator, closing }: Pick<HttpDeps, 'authenticator' | 'closing'>): RequestHandler {
  return async (request, response, next) => {
    const over = new AbortController();
    let stands: ReturnType<Standing['enter']> | undefined;
    response.once('close', () => {
      stands?.delete(response);
      if (!response.writableFinished) over.abort();
    });
    const claimed = claimedBy(request);
    const caller = await authenticator.authenticate(claimed);
    if (claimed.authorization !== undefined && !over.signal.aborted)
      stands = authenticator.standing.enter(claimed.authorization, response);
    const ask: Ask = { caller, traceId: traceIdOf(request), signal: over.signal, closing };
    setAsk(request, ask);
    next();
  };
}

/** `request.ip` heeds `trust proxy`. */
export const claimedBy = (request: Request) => ({
  authorization: request.headers.authorization,
  remoteAddress: request.ip ?? request.socket.remoteAddress ?? '',
  isForwarded: FORWARDING.some((name) => request.headers[name] !== undefined),
});

/** What proxies add: the sender is then somebody behind them, wherever the connection comes from. */
const FORWARDING = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];
