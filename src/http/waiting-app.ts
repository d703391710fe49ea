import { Router, type Express } from 'express';
import type { HttpSettings } from '../config/settings-http.ts';
import { AppError } from '../model/errors.ts';
import { ALWAYS_STANDS } from './auth/standing.ts';
import { createHttpApp, type ShellDeps } from './http-app.ts';
import { answerMcpError } from './mcp-errors.ts';

/** The server while its queue is away at the start: it lives, is not ready, and says so to every call, known or not. */
export function createWaitingApp(deps: Omit<ShellDeps, 'authenticator'>, settings: HttpSettings): Express {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'alive' });
  });
  router.get('/readyz', (_request, response) => {
    const parts = { process: deps.closing.aborted ? 'stopping' : 'starting', queue: 'queue_unavailable' };
    response.status(503).set('Cache-Control', 'no-store').json({ status: 'not_ready', parts });
  });
  router.use(() => {
    throw noQueueYet();
  });
  router.use('/mcp', answerMcpError(deps.log));
  const authenticator = { authenticate: () => Promise.reject(noQueueYet()), standing: ALWAYS_STANDS };
  return createHttpApp({ ...deps, authenticator }, settings, { open: [router] });
}

const noQueueYet = (): AppError =>
  new AppError('queue_unavailable', 'The server has started, and waits for its queue.', {
    hint: 'Ask again in a few seconds; the log of the server says what it waits for.',
  });
