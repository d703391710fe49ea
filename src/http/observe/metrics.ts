import { collectDefaultMetrics, Registry } from 'prom-client';
import type { RequestHandler } from 'express';
import type { HttpDeps } from '../deps.ts';
import { withinMs } from './within.ts';
import { createInstruments, type Instruments } from './instruments.ts';
import { createQueueMetrics, readQueueNumbers } from './queue-metrics.ts';
import { createRequestMetrics } from './request-metrics.ts';
import type { ScannerPools } from './scanner-pools.ts';

/** Less than the ten seconds a Prometheus waits. */
const QUEUE_PATIENCE_MS = 5_000;

export type MetricsDeps = Pick<HttpDeps, 'version' | 'queue' | 'operations' | 'clock' | 'log'> & {
  readonly scanners: ScannerPools;
};

export interface Metrics {
  /** The text of a scrape, and its content type. Never rejects because the queue is away. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Stands before all routes and counts what they answer. */
  readonly observeRequests: RequestHandler;
  close(): void;
}

export function createMetrics(deps: MetricsDeps): Metrics {
  const registry = new Registry();
  const made = createInstruments(registry);
  made.gauge('scanmux_build_info').set({ version: deps.version }, 1);
  const up = made.gauge('scanmux_queue_up');
  const queueMetrics = createQueueMetrics(made);
  const config = createConfigMetrics(made, deps.scanners);
  const observeRequests = createRequestMetrics(made, deps.clock);
  collectDefaultMetrics({ register: registry });
  let rendering: Promise<string> | undefined;

  async function scrape(): Promise<string> {
    config.show();
    try {
      queueMetrics.show(await withinMs(QUEUE_PATIENCE_MS, readQueueNumbers(deps)), deps.scanners.pools());
      up.set(1);
    } catch (error) {
      deps.log.warn({ err: error }, 'metrics of the queue could not be read');
      queueMetrics.forget();
      up.set(0);
    }
    return registry.metrics();
  }
  return {
    observeRequests,
    async render() {
      // Several scrapers at once cost the queue one look.
      rendering ??= scrape().finally(() => {
        rendering = undefined;
      });
      return { contentType: registry.contentType, text: await rendering };
    },
    close: config.close,
  };
}

function createConfigMetrics(made: Instruments, scanners: ScannerPools) {
  const valid = made.gauge('scanmux_scanners_config_valid');
  const errors = made.counter('scanmux_scanners_config_errors_total');
  const loaded = made.gauge('scanmux_scanners_config_loaded_timestamp_seconds');
  let known: string | undefined;
  const look = (): void => {
    const { lastError } = scanners.status();
    if (lastError !== undefined && lastError !== known) errors.inc();
    known = lastError;
  };
  look();
  const close = scanners.onChange(look);
  return {
    close,
    show(): void {
      look();
      const { lastError, loadedAt } = scanners.status();
      valid.set(lastError === undefined ? 1 : 0);
      loaded.set(loadedAt / 1000);
    },
  };
}
