import { Router, type ErrorRequestHandler, type RequestHandler } from 'express';
import { requireServiceOperator } from '../../model/caller.ts';
import { AppError } from '../../model/errors.ts';
import { askOf } from '../ask.ts';
import { requireCaller } from '../authentication.ts';
import type { HttpDeps } from '../deps.ts';

/** What makes a browser ask for a password. */
const CHALLENGE = 'Basic realm="scanmux: any user name, an operator\'s API key as password", charset="UTF-8"';

export interface OperatorLoginDeps extends Pick<HttpDeps, 'authenticator' | 'closing'> {
  /** Tenants whose admins run the service. */
  readonly operatorTenants: readonly string[];
}

/**
 * Lets operators pass, with a bearer token or, from a browser, with an API key as the password of HTTP Basic.
 * @throws AppError unauthenticated, forbidden, rate_limited, queue_unavailable, to the error handler of the app
 */
export function requireOperator(deps: OperatorLoginDeps): Router {
  const router = Router();
  const requireAdmin: RequestHandler = (request, _response, next) => {
    requireServiceOperator(askOf(request).caller, deps.operatorTenants);
    next();
  };
  router.use(basicAsBearer, refuseCrossSite, requireCaller(deps), requireAdmin, challengeBrowsers);
  return router;
}

const basicAsBearer: RequestHandler = (request, _response, next) => {
  const given = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given !== undefined) {
    const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(given, 'base64').toString('utf8')) ?? [];
    // What is no possible token must not get into a header.
    request.headers.authorization = /^[\x21-\x7e]+$/.test(password) ? `Bearer ${password}` : 'Bearer invalid';
  }
  next();
};

/** A browser sends a password it knows with whatever any page asks for. */
const refuseCrossSite: RequestHandler = (request, _response, next) => {
  const site = request.get('sec-fetch-site');
  const changes = request.method !== 'GET' && request.method !== 'HEAD';
  if (!changes || site === undefined || site === 'same-origin') next();
  else next(new AppError('forbidden', 'This was asked for by another web page.'));
};

/** Also where nobody needs a key, somebody with one must be able to show it. */
const challengeBrowsers: ErrorRequestHandler = (error: unknown, request, response, next) => {
  const isUnknown = error instanceof AppError && error.code === 'unauthenticated';
  const isAnonymous =
    error instanceof AppError && error.code === 'forbidden' && request.headers.authorization === undefined;
  if (isUnknown || isAnonymous) response.set('WWW-Authenticate', CHALLENGE);
  next(
    isAnonymous && request.get('sec-fetch-site') !== 'cross-site'
      ? new AppError('unauthenticated', 'This page is for operators.')
      : error,
  );
};
