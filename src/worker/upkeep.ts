import type { Log } from '../platform/log.ts';
import type { Registry } from '../registry/registry.ts';

interface Deps {
  readonly registry: Pick<Registry, 'pools'>;
  readonly log: Log;
}

/** Lets engines do what is due beside the scans. Never throws: nothing rests on it. */
export async function keepUp({ registry, log }: Deps): Promise<void> {
  const instances = registry.pools().flatMap((pool) => pool.instances);
  await Promise.all(
    instances.map(async ({ pool, instanceId, enabled, scanner }) => {
      try {
        if (enabled) await scanner.upkeep?.();
      } catch (error) {
        log.warn({ err: error, pool, instance: instanceId }, 'upkeep of a scanner failed');
      }
    }),
  );
}
