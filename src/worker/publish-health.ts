import type { WorkerDeps } from './deps.ts';

/** Tells every process what this worker knows of each instance: only here are circuits seen to open and close. */
export async function publishHealth({ registry, queue, log }: WorkerDeps, signal: AbortSignal): Promise<void> {
  try {
    for (const instance of registry.pools().flatMap(({ instances }) => instances)) {
      if (!instance.enabled) continue;
      const health = await registry.health(instance, signal);
      await queue.putInstanceHealth(instance.pool, instance.instanceId, health);
    }
  } catch (error) {
    if (!signal.aborted) log.warn({ err: error }, 'health of scanners could not be published');
  }
}
