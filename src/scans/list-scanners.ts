import type { ListScannersInput, ScannerList } from '../model/contract/lists.ts';
import type { CredentialList } from '../credentials/credentials.ts';
import { instanceKey } from '../queue/queue.ts';
import type { Instance, InstanceHealth, Pool } from '../registry/registry.ts';
import { BROKEN } from './cannot-start.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { listRemoteScans, type RemoteScans } from './remote-scans.ts';
import { isoTime } from './time.ts';

type Deps = Pick<ScanDeps, 'queue' | 'registry' | 'credentials' | 'quotas'>;
type PoolEntry = ScannerList['pools'][number];
type InstanceEntry = PoolEntry['instances'][number];

export type ListScanners = (input: ListScannersInput, ask: Ask) => Promise<ScannerList>;

/** @throws AppError pool_unknown, option_unsupported, queue_unavailable */
export function createListScanners({ queue, registry, credentials, quotas }: Deps): ListScanners {
  return async ({ scanner_pool: only, remote_scans: isRemoteAsked = false }, ask) => {
    const { caller, signal } = ask;
    const shown = only === undefined ? registry.pools() : [registry.pool(only)];
    const [remote, active, live, states] = await Promise.all([
      isRemoteAsked ? listRemoteScans(shown, ask) : undefined,
      queue.activeByInstance(),
      quotas.liveByPool(caller.tenant),
      queue.instanceStates(),
    ]);
    const broken = new Set(
      states.filter(({ health }) => health.circuit === 'open').map((state) => instanceKey(state.pool, state.instance)),
    );
    const queued = new Map(live.map((pool) => [pool.pool, pool.queued]));
    const pools = await Promise.all(
      shown.map(async (pool): Promise<PoolEntry> => {
        const instances = await Promise.all(
          pool.instances.map((instance) => entry(registry, instance, { active, broken }, signal)),
        );
        return { ...facts(pool), queued: queued.get(pool.name) ?? 0, active: total(instances), instances };
      }),
    );
    const { loadedAt, lastError: poolsError } = registry.status();
    const logins = maySeeLogins(caller) ? credentials.describe(caller, only === undefined ? undefined : [only]) : NONE;
    const lastError = joined(poolsError, logins.lastError);
    return {
      summary: summary(pools, { poolsError, loginsError: logins.lastError }, remote),
      pools,
      credential_refs: [...logins.refs],
      ...(remote ? { remote_scans: remote.entries } : {}),
      default_pool: registry.defaultPool,
      config: { loaded_at: isoTime(loadedAt), ...(lastError === undefined ? {} : { last_error: lastError }) },
    };
  };
}

const maySeeLogins = ({ isOperator, scopes }: Ask['caller']): boolean => isOperator || scopes.has('credential:use');
const NONE: CredentialList = { refs: [] };

const joined = (...errors: readonly (string | undefined)[]): string | undefined =>
  errors.some((error) => error !== undefined) ? errors.filter((error) => error !== undefined).join('\n') : undefined;

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

function condition(
  { status, circuit, why, version, edition, canLaunch }: InstanceHealth,
  isBroken: boolean,
): Condition {
  const broken = isBroken || circuit === 'open';
  const reason = broken ? BROKEN : why;
  return {
    health: broken ? 'circuit_open' : status,
    ...(reason === undefined ? {} : { why: reason }),
    ...versionOf(version, edition),
    can_launch: canLaunch && !broken,
  };
}

/** What it can do depends on the edition as much as on the version. */
function versionOf(version: string | undefined, edition: string | undefined): Pick<Condition, 'version'> {
  if (edition === undefined) return version === undefined ? {} : { version };
  return { version: version === undefined ? edition : `${version} (${edition})` };
}

interface Trouble {
  readonly poolsError: string | undefined;
  readonly loginsError: string | undefined;
}

function summary(
  pools: readonly PoolEntry[],
  { poolsError, loginsError }: Trouble,
  remote: RemoteScans | undefined,
): string {
  const ready = pools.filter(({ instances }) => instances.some(({ can_launch }) => can_launch));
  const list = ready.map(({ pool }) => pool).join(', ') || 'none';
  const trouble = poolsError === undefined ? '' : ' The newest scanners.yaml was refused; see config.last_error.';
  const logins =
    loginsError === undefined
      ? ''
      : ' credentials.yaml was refused, so there are no credential_refs; see config.last_error.';
  return `${ready.length} of ${pools.length} pools can start a scan: ${list}.${trouble}${logins}${remotePart(remote)}`;
}

function remotePart(remote: RemoteScans | undefined): string {
  if (!remote) return '';
  const { entries, importable } = remote;
  const total = entries.reduce((sum, { total: count }) => sum + count, 0);
  const later = total > importable ? `; ${total - importable} more were never run or have not ended` : '';
  const failing = entries.filter(({ error }) => error !== undefined);
  const why =
    failing.length === 0
      ? ''
      : ` The list may not be whole: error says why for ${failing.map((one) => `${one.pool}/${one.instance_id}`).join(', ')}.`;
  return ` ${importable} scans at the scanners themselves can be imported${later}: see remote_scans.${why}`;
}
