import { numberOf, optionalText } from './row.ts';
import { one, change, type Store } from './store.ts';
import { createWatch } from '../watch.ts';

/** Election of the one embedded worker process of a data folder. The holder stays in it by its queue heartbeats. */
export interface WorkerSeat {
  /**
   * True when this process holds the seat afterwards: it was free, its holder is dead, or it stood frozen under our
   * eyes. A holder calls it again now and then: false means another has taken over.
   */
  take(): Promise<boolean>;
  /** Identity text of a working holder. One that stood frozen under our eyes is evicted, with its claims. */
  holder(): Promise<string | undefined>;
  /**
   * Leaves the seat unless any scan (of these pools) is not final; both in one step, so no scan is left without a worker
   * to come.
   */
  releaseIfIdle(pools?: readonly string[]): Promise<boolean>;
  release(): Promise<void>;
}

/** All worker ids of a process: its identity, or the identity and a suffix. */
const OF_PROCESS = `(worker_id = ?1 OR substr(worker_id, 1, length(?1) + 1) = ?1 || '|')`;

const LIVE = `SELECT 1 FROM scans WHERE state IN ('queued', 'running', 'retrying')
  AND (?1 IS NULL OR pool IN (SELECT value FROM json_each(?1))) LIMIT 1`;

/** @param identity Identity text of the process that asks. */
export function createWorkerSeat(store: Store, identity: string): WorkerSeat {
  const watch = createWatch(store.clock, store.settings.leaseMs);
  const current = (): string | undefined => optionalText(one(store, 'SELECT holder FROM seat') ?? {}, 'holder');

  /** The working holder as far as we can tell. */
  const working = (): string | undefined => {
    const holder = current();
    if (holder === undefined || holder === identity) return holder;
    const beat = numberOf(
      one(store, `SELECT coalesce(sum(beat), 0) AS n FROM workers WHERE ${OF_PROCESS}`, holder) ?? {},
      'n',
    );
    return store.isAlive(holder) && !watch.frozen(holder, beat) ? holder : undefined;
  };
  const evict = (holder: string): void => {
    change(store, 'DELETE FROM seat WHERE holder = ?', holder);
    change(store, `DELETE FROM workers WHERE ${OF_PROCESS}`, holder);
  };
  const leave = (): number => change(store, 'DELETE FROM seat WHERE holder = ?', identity);

  return {
    take: () =>
      store.write(() => {
        const holder = current();
        if (holder === identity) return true;
        if (holder !== undefined) {
          if (working() !== undefined) return false;
          evict(holder);
        }
        return change(store, 'INSERT INTO seat (id, holder) VALUES (1, ?)', identity) === 1;
      }),
    async holder() {
      const found = working();
      const stale = found === undefined ? current() : undefined;
      if (stale !== undefined) await store.write(() => evict(stale));
      return found;
    },
    releaseIfIdle: (pools) =>
      store.write(() => {
        const live = one(store, LIVE, pools ? JSON.stringify(pools) : null);
        if (live) return false;
        leave();
        return true;
      }),
    async release() {
      await store.write(leave);
    },
  };
}
