import { VERSION } from './cli/version.ts';
import type { Environment } from './config/environment.ts';
import { telemetrySettings } from './config/telemetry.ts';
import { openQueue, type OpenedQueue, type QueueOptions } from './open-queue.ts';
import { noTracing, type Tracing } from './platform/tracing.ts';
import { tracedSubmit } from './queue/traced-submit.ts';

/**
 * The queue of this installation, whose acceptances are spans where traces are wanted. The libraries of OpenTelemetry are
 * only read then.
 * @throws AppError config_invalid, storage_unusable, data_too_new, queue_unavailable
 */
export async function openTraced(
  env: Environment,
  options: QueueOptions,
): Promise<OpenedQueue & { readonly tracing: Tracing }> {
  const settings = telemetrySettings(env, VERSION);
  const opened = await openQueue(options);
  if (!settings) return { ...opened, tracing: noTracing };
  const { createOtelTracing } = await import('./platform/otel-tracing.ts');
  const tracing = createOtelTracing(settings, options.log);
  return { ...opened, tracing, queue: tracedSubmit(opened.queue, tracing) };
}
