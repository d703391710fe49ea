import { AppError } from '../model/errors.ts';
import type { KnownInstance } from './cannot-start.ts';
import type { Instance, Pool, Registry } from '../registry/registry.ts';

/** Enabled instances of a pool that a run could go to. */
export const candidates = (pool: Pool, pinned: string | undefined): readonly Instance[] =>
  pool.instances.filter(({ instanceId, enabled }) => enabled && (pinned === undefined || instanceId === pinned));

/**
 * Refuses a run that no instance can start until an operator changes something (no licence, no binary). An instance
 * that is merely away is no reason: the scan waits for it.
 * @returns what the probes say of each instance the run could go to
 * @throws AppError no_scanner_available, scanner_edition_forbids_api
 */
export async function requireLaunchable(
  registry: Registry,
  pool: Pool,
  pinned: string | undefined,
  signal: AbortSignal,
): Promise<readonly KnownInstance[]> {
  const known = await Promise.all(
    candidates(pool, pinned).map(async (instance) => ({
      instanceId: instance.instanceId,
      health: await registry.health(instance, signal),
    })),
  );
  const healths = known.map(({ health }) => health);
  const refusals = healths.map(({ refusal }) => refusal);
  if (refusals.length === 0 || refusals.some((refusal) => refusal === undefined)) return known;
  const why = [...new Set(healths.flatMap((health) => (health.why === undefined ? [] : [health.why])))];
  const code = refusals[0] ?? 'no_scanner_available';
  const isEdition = code === 'scanner_edition_forbids_api' && why.length > 0;
  throw new AppError(
    code,
    `Pool ${pool.name} cannot start a scan. ${why.join(' ')}`.trim(),
    // Its health says what to do instead.
    isEdition ? { hint: 'Another pool may be able to. Do not retry.' } : {},
  );
}
