import type { RequestHandler, Response } from 'express';
import type { Clock } from '../../platform/clock.ts';
import type { Instruments } from './instruments.ts';
import { routeOf } from './route-name.ts';

/** More routes than there are. What a client sends must not grow the number of series without end. */
const MAX_ROUTES = 300;
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Counts requests by the pattern of their route. It stands before all routes. */
export function createRequestMetrics(made: Instruments, clock: Clock): RequestHandler {
  const requests = made.counter('scanmux_http_requests_total');
  const durations = made.histogram('scanmux_http_request_duration_seconds');
  const open = made.gauge('scanmux_http_open_requests');
  const seen = new Set<string>();
  const bounded = (route: string): string => {
    if (!seen.has(route) && seen.size >= MAX_ROUTES) return 'other';
    seen.add(route);
    return route;
  };
  return (request, response, next) => {
    const startedAt = clock.monotonic();
    open.inc();
    response.once('close', () => {
      open.dec();
      const method = METHODS.has(request.method) ? request.method : 'other';
      const route = bounded(routeOf(request));
      requests.inc({ method, route, status: statusOf(response) });
      if (!isStream(response)) durations.observe({ method, route }, (clock.monotonic() - startedAt) / 1000);
    });
    next();
  };
}

/** An answer that was cut off has no status anybody saw; nginx calls that 499. */
const statusOf = (response: Response): string => (response.headersSent ? String(response.statusCode) : '499');

const isStream = (response: Response): boolean =>
  String(response.getHeader('content-type') ?? '').startsWith('text/event-stream');
