import type { Environment } from '../config/environment.ts';
import type { ScannerHealth } from '../model/capability.ts';
import { AppError } from '../model/errors.ts';
import type { Bell } from '../platform/bell.ts';
import { systemClock, type Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { ScannerType } from '../scanners/scanner.ts';
import { orAborted } from '../platform/or-aborted.ts';
import { eachLimited } from './concurrency.ts';
import { createHealthWatch, type HealthWatch } from './health-watch.ts';
import { createLoader, type Loader } from './loader.ts';
import type { PoolConfig } from './pool-config.ts';
import type { InstanceHealth, Pool, Registry } from './registry.ts';
import type { Entry } from './snapshot.ts';
import { watchFile } from './watch-file.ts';

export interface RegistryDeps {
  /** Absolute path of scanners.yaml, which may be absent. */
  readonly file: string;
  /** Engines by the name that `type` has in the file. */
  readonly types: Readonly<Record<string, ScannerType>>;
  /** Pools when there is no file. */
  readonly defaults: () => readonly PoolConfig[];
  readonly defaultPool: string;
  readonly log: Log;
  /** For `${VAR}` in the file. */
  readonly env: Environment;
  /** What is known about health is fresh for this long. */
  readonly probeIntervalMs: number;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  /** After every probe. */
  readonly onHealth?: (pool: string, instance: string, health: ScannerHealth) => void;
  /** Rung by `scanmux reload`; does what SIGHUP does, everywhere. */
  readonly reloadBell?: Pick<Bell, 'listen'>;
  /** Default 10 s. */
  readonly probeTimeLimitMs?: number;
  /** How often the file is looked at besides the system's notices. Default 5 s. */
  readonly lookIntervalMs?: number;
}

const PROBE_TIME_LIMIT_MS = 10_000;
const LOOK_INTERVAL_MS = 5_000;
const PROBES_AT_ONCE = 8;

/**
 * Loads scanners.yaml once, then gives the registry. A broken file at the start leaves it without pools, and every use
 * says why: falling back to the defaults would scan from somewhere the operator did not choose.
 */
export async function createRegistry(deps: RegistryDeps): Promise<Registry> {
  const { log, clock = systemClock } = deps;
  const listeners = new Set<() => void>();
  const guarded = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      log.error({ err: error }, 'A listener of the registry failed.');
    }
  };
  const changed = (): void => {
    for (const listener of listeners) guarded(listener);
  };
  const health = createHealthWatch({
    clock,
    log,
    random: deps.random ?? Math.random,
    freshMs: deps.probeIntervalMs,
    timeLimitMs: deps.probeTimeLimitMs ?? PROBE_TIME_LIMIT_MS,
    onHealth: (...facts) => guarded(() => deps.onHealth?.(...facts)),
    changed,
  });
  const loader = createLoader(deps, { clock, changed });
  await loader.reload();
  return {
    ...poolQueries(loader),
    get defaultPool() {
      return defaultPoolOf(loader, deps.defaultPool);
    },
    ...healthQueries(loader, health),
    status: loader.status,
    reload: loader.reload,
    close: loader.close,
    watch: (signal) => watchAll(deps, { loader, health, changed }, signal),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const namesOf = (loader: Loader): string[] => loader.pools().map(({ name }) => name);

/** Where there is only one pool, scans that name none can only mean that one. */
function defaultPoolOf(loader: Loader, configured: string): string {
  const [only, ...others] = namesOf(loader);
  return only !== undefined && others.length === 0 ? only : configured;
}

function poolQueries(loader: Loader): Pick<Registry, 'pools' | 'pool' | 'instance'> {
  const pool = (name: string): Pool => {
    const found = loader.poolsOrThrow().find((candidate) => candidate.name === name);
    if (found) return found;
    throw new AppError('pool_unknown', `There is no pool ${quoted(name)}. Pools: ${namesOf(loader).join(', ')}.`);
  };
  return {
    pools: loader.pools,
    pool,
    instance(poolName, instanceId) {
      const { instances } = pool(poolName);
      const found = instances.find((candidate) => candidate.instanceId === instanceId);
      if (found) return found;
      const known = instances.map((instance) => instance.instanceId).join(', ');
      throw new AppError(
        'instance_unknown',
        `There is no instance ${quoted(instanceId)} in pool ${poolName}. Instances: ${known || 'none'}.`,
      );
    },
  };
}

/** The caller's own words, cut where no name could be so long. */
const quoted = (text: string): string => JSON.stringify(text.slice(0, 64));

function healthQueries(
  loader: Loader,
  watch: HealthWatch,
): Pick<Registry, 'available' | 'health' | 'probeAll' | 'reportOutcome'> {
  const enabled = (): Entry[] => loader.entries().filter(({ instance }) => instance.enabled);
  return {
    /**
     * Also asks again, in the background, after instances about which nothing fresh is known; so it is the worker,
     * which looks for slots, that keeps health up to date, and an idle server disturbs nobody.
     */
    available() {
      for (const { watched } of enabled()) if (!watch.isFresh(watched)) void watch.probe(watched);
      return enabled().flatMap((entry) => slotOf(entry, watch));
    },
    async health(instance, signal): Promise<InstanceHealth> {
      signal.throwIfAborted();
      const watched = loader.watchedOf(instance);
      if (!watched) throw new AppError('instance_unknown', `Instance ${instance.instanceId} is of another registry.`);
      const circuit = watch.circuit(watched);
      if (!instance.enabled) return { ...disabled, circuit };
      if (watched.health && watch.isFresh(watched)) return { ...watched.health, circuit };
      const fresh = await orAborted(watch.probe(watched), signal);
      return { ...fresh, circuit: watch.circuit(watched) };
    },
    async probeAll(signal) {
      await eachLimited(enabled(), PROBES_AT_ONCE, ({ watched }) => orAborted(watch.probe(watched), signal));
    },
    reportOutcome(pool, instanceId, ok) {
      const entry = loader
        .entries()
        .find(({ instance }) => instance.pool === pool && instance.instanceId === instanceId);
      if (entry) watch.reportOutcome(entry.watched, ok);
    },
  };
}

const disabled: ScannerHealth = { status: 'unhealthy', canLaunch: false, why: 'Disabled in scanners.yaml.' };

function slotOf({ instance, watched }: Entry, watch: HealthWatch) {
  const { pool, instanceId, limit } = instance;
  const circuit = watch.circuit(watched);
  if (!watched.health?.canLaunch || watched.health.status === 'unhealthy' || circuit === 'open') return [];
  return [{ pool, instance: instanceId, limit: circuit === 'half_open' ? 1 : limit }];
}

interface WatchParts {
  readonly loader: Loader;
  readonly health: HealthWatch;
  readonly changed: () => void;
}

function watchAll(deps: RegistryDeps, { loader, health, changed }: WatchParts, signal: AbortSignal): void {
  if (signal.aborted) return;
  const reload = (): void => void loader.reload();
  const circuits = (): string =>
    loader
      .entries()
      .map(({ watched }) => health.circuit(watched))
      .join();
  let lastCircuits = circuits();
  watchFile(
    {
      file: deps.file,
      lastSignature: loader.signature,
      reload: loader.reload,
      looked() {
        // A circuit becomes half open by the clock alone.
        if (circuits() === lastCircuits) return;
        lastCircuits = circuits();
        changed();
      },
      intervalMs: deps.lookIntervalMs ?? LOOK_INTERVAL_MS,
    },
    signal,
  );
  const silence = deps.reloadBell?.listen(reload);
  if (process.platform !== 'win32') process.on('SIGHUP', reload);
  signal.addEventListener(
    'abort',
    () => {
      silence?.();
      process.off('SIGHUP', reload);
    },
    { once: true },
  );
}
