import type { Request } from 'express';
import { AppError } from '../model/errors.ts';
import type { Ask } from '../scans/deps.ts';

const asks = new WeakMap<Request, Ask>();

/** Notes who asks, once the authenticator has said so. */
export const setAsk = (request: Request, ask: Ask): void => {
  asks.set(request, ask);
};

/** Who asks. @throws AppError internal_error on a route that is not behind the authenticator */
export function askOf(request: Request): Ask {
  const ask = asks.get(request);
  if (!ask) throw new AppError('internal_error', 'A route was reached without an authenticated caller.');
  return ask;
}
