import type { Answer } from './answer.ts';
import { Refusal, htmlPage, json, refusal } from './answer.ts';
import type { AuthKind, Call } from './call.ts';
import type { Found } from './router.ts';
import { bootProgress } from './routes/server.ts';
import { hasScanApi } from './scenario.ts';
import type { Server } from './server-state.ts';

/** What is said before a route is asked: starting, not logged in, not licensed. */
export function answerTo(server: Server, found: Found | 404 | 405, call: Omit<Call, 'server' | 'params'>): Answer {
  const booting = bootProgress(server);
  const isStatus = typeof found !== 'number' && found.route.path === '/server/status';
  if (booting !== undefined && !isStatus) return json({ code: 503, status: 'loading', progress: booting }, 503);
  if (found === 404) return refusal(new Refusal(404, 'The requested file was not found.'));
  if (found === 405) return refusal(new Refusal(405, 'The requested method is not allowed for this URL'));
  const { route, params } = found;
  if (!route.isOpen && (call.auth === 'none' || call.auth === 'refused')) return notLoggedIn(call.auth, call.headers);
  if (route.needsScanApi && !hasScanApi(server.scenario.edition) && server.scenario.forbidden !== 'reset_after_success')
    return FORBIDDEN;
  try {
    return route.handle({ ...call, params, server });
  } catch (error) {
    if (error instanceof Refusal) return refusal(error);
    throw error;
  }
}

/** An edition without scan_api to any write: 32 bytes, and the connection is closed. */
export const FORBIDDEN: Answer = {
  ...json({ error: 'API is not available' }, 412),
  headers: { 'Content-Type': 'application/json', 'Content-Length': '32', Connection: 'close' },
};

function notLoggedIn(auth: AuthKind, headers: Call['headers']): Answer {
  const isKeys = auth === 'refused' && headers['x-apikeys'] !== undefined;
  return refusal(new Refusal(401, isKeys ? 'Invalid Credentials' : 'You need to log in to perform this request'));
}

export const LOGGED_OUT: Answer = refusal(new Refusal(401, 'You need to log in to perform this request'));

/** Counts requests in windows of time; a page of a proxy for those too many. */
export function createRateLimit({ scenario: { rate_limit: limit }, clock }: Server): () => Answer | undefined {
  let from = Number.NEGATIVE_INFINITY;
  let count = 0;
  return () => {
    if (!limit) return undefined;
    if (clock.now() - from >= limit.per_ms) [from, count] = [clock.now(), 0];
    count += 1;
    if (count <= limit.requests) return undefined;
    const page = htmlPage(429, 'Too Many Requests');
    return { ...page, headers: { ...page.headers, 'Retry-After': String(limit.retry_after_s) } };
  };
}
