import { Router } from 'express';
import type { MetricsSettings } from '../../config/settings-observe.ts';
import { claimedBy } from '../authentication.ts';
import { createMetricsAccess, type MetricsAccessDeps } from './metrics-access.ts';
import type { Metrics } from './metrics.ts';
import { createReadiness, type ReadinessDeps } from './readiness.ts';

export type HealthDeps = MetricsAccessDeps &
  ReadinessDeps & {
    readonly metrics: Metrics;
    readonly settings: MetricsSettings;
  };

/**
 * `GET /healthz` (this process lives), `/readyz` (it can serve; 503 with the parts when not), for everybody, and
 * `/metrics` for who may read it. Refusals go to the error handler of the app as AppError.
 */
export function createHealthRouter(deps: HealthDeps): Router {
  const router = Router();
  const readiness = createReadiness(deps);
  const requireReader = createMetricsAccess(deps, deps.settings);
  router.get('/healthz', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'alive' });
  });
  router.get('/readyz', async (_request, response) => {
    const report = await readiness();
    response
      .status(report.status === 'ready' ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json(report);
  });
  router.get('/metrics', async (request, response) => {
    await requireReader(claimedBy(request));
    const { contentType, text } = await deps.metrics.render();
    response.set({ 'Content-Type': contentType, 'Cache-Control': 'no-store' }).send(text);
  });
  return router;
}
