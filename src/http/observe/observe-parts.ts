import type { RequestHandler, Router } from 'express';
import type { MetricsSettings } from '../../config/settings-observe.ts';
import type { Tracing } from '../../platform/tracing.ts';
import type { HttpDeps } from '../deps.ts';
import { createHealthRouter } from './health-router.ts';
import { createMetrics } from './metrics.ts';
import { createQueuesRouter } from './queues-router.ts';
import type { ScannerPools } from './scanner-pools.ts';
import { createSpansRouter } from './trace-spans.ts';

export type ObserveDeps = Pick<
  HttpDeps,
  'version' | 'queue' | 'operations' | 'authenticator' | 'closing' | 'clock' | 'log'
> & {
  readonly scans: Pick<HttpDeps['scans'], 'cancel' | 'deadLetters'>;
  readonly scanners: ScannerPools;
  readonly tracing: Tracing;
  readonly dataFolder: string;
  readonly settings: MetricsSettings;
  /** Tenants whose admins run the service. */
  readonly operatorTenants: readonly string[];
};

/** What operators see of a server, as parts of the HTTP app. */
export interface ObserveParts {
  readonly first: RequestHandler;
  /** To stand before all other open routers: what follows is inside the span of its request. */
  readonly open: readonly Router[];
  readonly queues: Router;
}

/** Listens to the scanners until `closing` aborts. */
export function createObserveParts(deps: ObserveDeps): ObserveParts {
  const metrics = createMetrics(deps);
  deps.closing.addEventListener('abort', () => metrics.close(), { once: true });
  return {
    first: metrics.observeRequests,
    open: [createSpansRouter(deps.tracing), createHealthRouter({ ...deps, metrics })],
    queues: createQueuesRouter(deps),
  };
}
