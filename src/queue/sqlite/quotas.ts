import { dayOf, type HostsWanted, type Quotas } from '../quotas.ts';
import { numberOf } from './row.ts';
import { change, one, type Store } from './store.ts';

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
  };
}

/** By the index of live scans: the number of finished ones does not matter. */
const LIVE = `SELECT count(*) AS n FROM scans INDEXED BY live_twin
  WHERE tenant = ? AND state IN ('queued', 'running', 'retrying')`;

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
