import { configInvalid, type Problem } from '../config/problems.ts';
import { AppError } from '../model/errors.ts';
import { watched, type WatchedScanner } from './health-watch.ts';
import type { InstancePlan } from './instance-plan.ts';
import type { PoolPlan } from './pool-plan.ts';
import type { Instance, Pool } from './registry.ts';

/** Everything that is in force at one time; made whole, then swapped in. */
export interface Snapshot {
  readonly pools: readonly Pool[];
  /** In the order of the file. */
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly instance: Instance;
  readonly watched: WatchedScanner;
}

/**
 * Builds the next snapshot. A scanner whose engine and settings are as before is kept with its health and circuit;
 * name, limit and `enabled` may change around it.
 * @throws AppError config_invalid when an engine refuses its settings, e.g. a file they name is not there
 */
export function buildSnapshot(plans: readonly PoolPlan[], previous: Snapshot | undefined): Snapshot {
  const problems: Problem[] = [];
  const kept = new Map(previous?.entries.map((entry) => [entryKey(entry.watched), entry.watched]));
  const entries: Entry[] = [];
  const pools = plans.map(({ name, type, instances }) => {
    const made = instances.flatMap((plan) => {
      const state = kept.get(entryKey({ pool: name, ...plan })) ?? create(name, plan, problems);
      return state ? [entryOf(name, plan, state)] : [];
    });
    entries.push(...made);
    const { capabilities, check } = type;
    return { name, capabilities, ...(check ? { check } : {}), instances: made.map(({ instance }) => instance) };
  });
  if (problems.length > 0) throw configInvalid(problems);
  return { pools, entries };
}

const entryKey = ({ pool, instanceId, fingerprint }: Pick<WatchedScanner, 'pool' | 'instanceId' | 'fingerprint'>) =>
  JSON.stringify([pool, instanceId, fingerprint]);

function entryOf(pool: string, { instanceId, name, enabled, limit }: InstancePlan, state: WatchedScanner): Entry {
  return { instance: { pool, instanceId, name, enabled, limit, scanner: state.scanner }, watched: state };
}

function create(pool: string, plan: InstancePlan, problems: Problem[]): WatchedScanner | undefined {
  const { instanceId, fingerprint } = plan;
  try {
    return watched({ pool, instanceId, fingerprint, scanner: plan.create() });
  } catch (error) {
    const message = error instanceof AppError ? error.message : `engine ${plan.type} refuses these settings`;
    problems.push({ where: `pool ${pool}, instance ${instanceId}`, message });
    return undefined;
  }
}
