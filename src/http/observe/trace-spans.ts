import { Router } from 'express';
import { parentIdIn, type Tracing } from '../../platform/tracing.ts';
import { traceIdOf } from '../request-trace.ts';
import { routeOf } from './route-name.ts';

/** Asked every few seconds, and never part of anything. */
const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** Every request as a span, the parent of what happens meanwhile. The first of the open routers. */
export function createSpansRouter(tracing: Tracing): Router {
  const router = Router();
  router.use((request, response, next) => {
    if (!tracing.isOn || PROBES.has(request.path)) {
      next();
      return;
    }
    const traceId = traceIdOf(request);
    const parentId = parentIdIn(request.get('traceparent'), traceId);
    const attributes = { 'http.request.method': request.method };
    void tracing.within({ name: request.method, kind: 'server', traceId, parentId, attributes }, async (span) => {
      const ended = new Promise<void>((resolve) => response.once('close', resolve));
      next();
      await ended;
      const route = routeOf(request);
      span.rename(`${request.method} ${route}`);
      span.set({ 'http.route': route, 'http.response.status_code': response.statusCode });
      if (response.statusCode >= 500) span.fail(String(response.statusCode));
    });
  });
  return router;
}
