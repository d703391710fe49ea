import { AppError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { BUILT_IN, loadPools, signatureOf, type PoolSource } from './file.ts';
import type { WatchedScanner } from './health-watch.ts';
import type { ConfigStatus, Instance, Pool } from './registry.ts';
import { createRetirement } from './retire.ts';
import { buildSnapshot, type Entry, type Snapshot } from './snapshot.ts';

/** Holds what is in force and swaps it whole. */
export interface Loader {
  /** Empty as long as no file was good. */
  readonly pools: () => readonly Pool[];
  /** @throws AppError config_invalid as long as no file was good */
  readonly poolsOrThrow: () => readonly Pool[];
  readonly entries: () => readonly Entry[];
  /** Also of instances that a reload has replaced. */
  readonly watchedOf: (instance: Instance) => WatchedScanner | undefined;
  readonly status: () => ConfigStatus;
  /** Of the file as it was last read, good or bad. */
  readonly signature: () => string;
  /** Reads the file as it is now or later; calls that come while one waits share it. Never rejects. */
  readonly reload: () => Promise<ConfigStatus>;
  /** Closes every scanner; waits a little. */
  readonly close: () => Promise<void>;
}

export function createLoader(
  deps: PoolSource & { readonly log: Log; readonly defaultPool: string },
  { clock, changed }: { clock: Clock; changed: () => void },
): Loader {
  const { file, log } = deps;
  const retirement = createRetirement(log);
  const watchedByInstance = new WeakMap<Instance, WatchedScanner>();
  let snapshot: Snapshot | undefined;
  let status: ConfigStatus = { loadedAt: 0, source: file };
  let signature = '';
  let running: Promise<unknown> = Promise.resolve();
  let waiting: Promise<ConfigStatus> | undefined;

  const load = async (): Promise<ConfigStatus> => {
    // Taken before reading: what is written meanwhile then counts as a change.
    signature = await signatureOf(file);
    try {
      const { source, pools } = await loadPools(deps);
      const next = buildSnapshot(pools, snapshot);
      for (const { instance, watched } of next.entries) watchedByInstance.set(instance, watched);
      retirement.replaced(snapshot?.entries ?? [], next.entries);
      snapshot = next;
      status = { loadedAt: clock.now(), source };
      logLoaded(
        deps,
        pools.map(({ name }) => name),
        source,
      );
    } catch (error) {
      status = { ...status, lastError: reasonOf(error) };
      log.error(
        { file, ...(error instanceof AppError ? { reason: error.message } : { err: error }) },
        snapshot ? 'scanners.yaml was refused; the one before stays in force.' : 'scanners.yaml was refused.',
      );
    }
    changed();
    return status;
  };

  return {
    pools: () => snapshot?.pools ?? [],
    poolsOrThrow() {
      if (snapshot) return snapshot.pools;
      throw new AppError('config_invalid', status.lastError ?? 'scanners.yaml was not loaded.');
    },
    entries: () => snapshot?.entries ?? [],
    watchedOf: (instance) => watchedByInstance.get(instance),
    status: () => status,
    signature: () => signature,
    close: () => retirement.all(snapshot?.entries ?? []),
    reload() {
      if (waiting) return waiting;
      const mine = running.then(() => {
        waiting = undefined;
        return load();
      });
      waiting = mine;
      running = mine;
      return mine;
    },
  };
}

const reasonOf = (error: unknown): string =>
  error instanceof AppError ? error.message : 'It could not be loaded for an unexpected reason; see the log.';

function logLoaded({ log, defaultPool }: { log: Log; defaultPool: string }, pools: string[], source: string): void {
  log.info({ source, pools }, source === BUILT_IN ? 'Built-in pools are in force.' : 'scanners.yaml is in force.');
  if (!pools.includes(defaultPool)) log.warn({ defaultPool, pools }, 'The default pool is none of the pools.');
}
