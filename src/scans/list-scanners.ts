import type { ListScannersInput, ScannerList } from '../model/contract/lists.ts';
import { AppError } from '../model/errors.ts';
import { instanceKey } from '../queue/queue.ts';
import type { Instance, InstanceHealth, Pool } from '../registry/registry.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { isoTime } from './time.ts';

type Deps = Pick<ScanDeps, 'queue' | 'registry'>;
type PoolEntry = ScannerList['pools'][number];
type InstanceEntry = PoolEntry['instances'][number];

export type ListScanners = (input: ListScannersInput, ask: Ask) => Promise<ScannerList>;

/** @throws AppError pool_unknown, option_unsupported, queue_unavailable */
export function createListScanners({ queue, registry }: Deps): ListScanners {
  return async ({ scanner_pool: only, remote_scans: isRemoteAsked = false }, { caller, signal }) => {
    if (isRemoteAsked) throw new AppError('option_unsupported', NO_REMOTE_SCANS, { hint: 'Leave remote_scans out.' });
    const shown = only === undefined ? registry.pools() : [registry.pool(only)];
    const [active, status, states] = await Promise.all([
      queue.activeByInstance(),
      queue.status(caller.tenant),
      queue.instanceStates(),
    ]);
    const broken = new Set(
      states.filter(({ health }) => health.circuit === 'open').map((state) => instanceKey(state.pool, state.instance)),
    );
    const queued = new Map(status.pools.map((pool) => [pool.pool, pool.queued]));
    const pools = await Promise.all(
      shown.map(async (pool): Promise<PoolEntry> => {
        const instances = await Promise.all(
          pool.instances.map((instance) => entry(registry, instance, { active, broken }, signal)),
        );
        return { ...facts(pool), queued: queued.get(pool.name) ?? 0, active: total(instances), instances };
      }),
    );
    const { loadedAt, lastError } = registry.status();
    return {
      summary: summary(pools, lastError),
      pools,
      credential_refs: [],
      default_pool: registry.defaultPool,
      config: { loaded_at: isoTime(loadedAt), ...(lastError === undefined ? {} : { last_error: lastError }) },
    };
  };
}

const NO_REMOTE_SCANS = 'No configured engine has remote scans to list (remote_scans).';

const total = (instances: readonly { active: number }[]): number =>
  instances.reduce((sum, { active }) => sum + active, 0);

function facts({ name, capabilities, instances }: Pool) {
  return {
    pool: name,
    engine: capabilities.engine,
    looks_for: [...capabilities.looksFor],
    target_kinds: [...capabilities.targetKinds],
    authenticated: capabilities.authenticated,
    intensities: [...capabilities.intensities],
    options: [...capabilities.options],
    capacity: instances.reduce((sum, { enabled, limit }) => sum + (enabled ? limit : 0), 0),
  };
}

async function entry(
  registry: Deps['registry'],
  instance: Instance,
  { active, broken }: { active: ReadonlyMap<string, number>; broken: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<InstanceEntry> {
  const { pool, instanceId, name, enabled, limit } = instance;
  const key = instanceKey(pool, instanceId);
  return {
    instance_id: instanceId,
    name,
    enabled,
    ...(enabled ? condition(await registry.health(instance, signal), broken.has(key)) : DISABLED),
    active: active.get(key) ?? 0,
    max_concurrent_scans: limit,
  };
}

type Condition = Pick<InstanceEntry, 'health' | 'why' | 'version' | 'can_launch'>;

const DISABLED: Condition = { health: 'unhealthy', why: 'Disabled in scanners.yaml.', can_launch: false };

function condition({ status, circuit, why, version, canLaunch }: InstanceHealth, isBroken: boolean): Condition {
  const broken = isBroken || circuit === 'open';
  const reason = broken ? 'It failed several scans in a row and gets no more until a trial succeeds.' : why;
  return {
    health: broken ? 'circuit_open' : status,
    ...(reason === undefined ? {} : { why: reason }),
    ...(version === undefined ? {} : { version }),
    can_launch: canLaunch && !broken,
  };
}

function summary(pools: readonly PoolEntry[], lastError: string | undefined): string {
  const ready = pools.filter(({ instances }) => instances.some(({ can_launch }) => can_launch));
  const list = ready.map(({ pool }) => pool).join(', ') || 'none';
  const trouble = lastError === undefined ? '' : ' The newest scanners.yaml was refused; see config.last_error.';
  return `${ready.length} of ${pools.length} pools can start a scan: ${list}.${trouble}`;
}
