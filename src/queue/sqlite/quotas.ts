import { dayOf, type HostsWanted, type LivePool, type Quotas } from '../quotas.ts';
import type { Row } from '../../platform/sqlite.ts';
import { numberOf, optionalNumber, textOf } from './row.ts';
import { change, many, one, type Store } from './store.ts';

/** Days that are kept, for people who wonder what a tenant did. */
const KEPT_DAYS = 35;

export function createQuotas(store: Store): Quotas {
  return {
    takeHosts: (wanted) => store.write(() => takeHosts(store, wanted)),
    giveBackHosts: (tenant, hosts) =>
      store.write(() => {
        change(
          store,
          'UPDATE hosts_per_day SET hosts = max(0, hosts - ?) WHERE tenant = ? AND day = ?',
          hosts,
          tenant,
          dayOf(store.clock.now()),
        );
      }),
    liveScans: async (tenant) => numberOf(one(store, LIVE, tenant) ?? {}, 'n'),
    liveByPool: async (tenant) => many(store, LIVE_BY_POOL, tenant).map((row) => livePool(row, store.clock.now())),
  };
}

/** By the index of live scans: the number of finished ones does not matter. */
const LIVE = `SELECT count(*) AS n FROM scans INDEXED BY live_twin
  WHERE tenant = ? AND state IN ('queued', 'running', 'retrying')`;

const LIVE_BY_POOL = `SELECT pool,
    sum(state = 'queued') AS queued, sum(state = 'running') AS running, sum(state = 'retrying') AS retrying,
    min(CASE state WHEN 'queued' THEN queued_at END) AS oldest
  FROM scans INDEXED BY live_twin
  WHERE tenant = ? AND state IN ('queued', 'running', 'retrying') GROUP BY pool ORDER BY pool`;

function livePool(row: Row, now: number): LivePool {
  const oldest = optionalNumber(row, 'oldest');
  return {
    pool: textOf(row, 'pool'),
    queued: numberOf(row, 'queued'),
    running: numberOf(row, 'running'),
    retrying: numberOf(row, 'retrying'),
    ...(oldest === undefined ? {} : { oldestQueuedMs: Math.max(0, now - oldest) }),
  };
}

function takeHosts(store: Store, { tenant, hosts, limit }: HostsWanted): { taken: boolean; used: number } {
  const day = dayOf(store.clock.now());
  const row = one(store, 'SELECT hosts FROM hosts_per_day WHERE tenant = ? AND day = ?', tenant, day);
  const used = row ? numberOf(row, 'hosts') : 0;
  if (used + hosts > limit) return { taken: false, used };
  change(
    store,
    `INSERT INTO hosts_per_day (tenant, day, hosts) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET hosts = hosts + excluded.hosts`,
    tenant,
    day,
    hosts,
  );
  if (!row) change(store, 'DELETE FROM hosts_per_day WHERE tenant = ? AND day < ?', tenant, day - KEPT_DAYS);
  return { taken: true, used };
}
