import type { Answer } from './answer.ts';
import { Refusal, htmlPage, json, notFound, refusal } from './answer.ts';
import type { AuthKind, Call, Route } from './call.ts';
import type { Found } from './router.ts';
import { bootProgress } from './routes/server.ts';
import { hasScanApi } from './scenario.ts';
import type { Fault } from './fault.ts';
import type { Server } from './server-state.ts';

/** What the API answers, well-behaved: starting, unknown, not logged in, not licensed, or what its route says. */
export function answerTo(server: Server, found: Found | 404 | 405, call: Omit<Call, 'server' | 'params'>): Answer {
  const booting = bootProgress(server);
  const isStatus = typeof found !== 'number' && found.route.path === '/server/status';
  if (booting !== undefined && !isStatus) return json({ code: 503, status: 'loading', progress: booting }, 503);
  if (found === 404) return refusal(notFound());
  if (found === 405) return refusal(new Refusal(405, 'The requested method is not allowed for this URL'));
  const { route, params } = found;
  const closed = closedTo(server, route, call);
  if (closed) return closed;
  try {
    return route.handle({ ...call, params, server });
  } catch (error) {
    if (error instanceof Refusal) return refusal(error);
    throw error;
  }
}

function closedTo(
  { scenario }: Server,
  route: Route,
  { auth, headers }: Pick<Call, 'auth' | 'headers'>,
): Answer | undefined {
  const isLoggedIn = auth === 'keys' || auth === 'session';
  if (!route.isOpen && !isLoggedIn) return notLoggedIn(auth, headers);
  // With this flavour the write is done, and only its answer is lost.
  const isDoneAnyway = scenario.forbidden === 'reset_after_success';
  return route.needsScanApi && !hasScanApi(scenario.edition) && !isDoneAnyway ? FORBIDDEN : undefined;
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

const LOGGED_OUT: Answer = refusal(new Refusal(401, 'You need to log in to perform this request'));

/** What a fault makes the server answer without asking any route. */
export function faultyAnswer(fault: Fault | undefined): Answer | undefined {
  switch (fault?.do) {
    case 'html_page':
      return htmlPage(200, 'Welcome');
    case 'logged_out':
      return LOGGED_OUT;
    case 'forbidden':
      return FORBIDDEN;
    case 'status':
      return brokenStatus(fault);
    default:
      return undefined;
  }
}

function brokenStatus({ html, code, retry_after: after }: Fault): Answer {
  const answer = html ? htmlPage(code, 'Error') : json({ error: `Simulated ${code}` }, code);
  return {
    ...answer,
    headers: { ...answer.headers, ...(after === undefined ? {} : { 'Retry-After': String(after) }) },
  };
}

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
