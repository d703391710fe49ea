import { dayOf, type LivePool, type Quotas } from '../quotas.ts';
import { listOf, numberOf, textOf } from './reply.ts';
import { newRequestId } from './request-id.ts';
import { GIVE_BACK_HOSTS, LIVE, LIVE_POOLS, TAKE_HOSTS } from './scripts/quotas.ts';
import type { RedisStore } from './store.ts';

/** Scans looked at in one step, so that a long queue does not hold up the server. */
const AT_ONCE = 1_000;

export function createQuotasOnRedis(store: RedisStore): Quotas {
  const today = (): number => dayOf(store.clock.now());
  return {
    async takeHosts({ tenant, hosts, limit }) {
      const [taken, used] = listOf(await store.run(TAKE_HOSTS, tenant, today(), hosts, limit, newRequestId()));
      return { taken: taken === 1, used: numberOf(used) };
    },
    async giveBackHosts(tenant, hosts) {
      await store.run(GIVE_BACK_HOSTS, tenant, today(), hosts, newRequestId());
    },
    liveScans: async (tenant) => numberOf(await store.run(LIVE, tenant)),
    liveByPool: (tenant) => liveByPool(store, tenant),
  };
}

type Counts = { -readonly [Key in keyof LivePool]: LivePool[Key] };

async function liveByPool(store: RedisStore, tenant: string): Promise<readonly LivePool[]> {
  const pools = new Map<string, Counts>();
  for (const state of ['queued', 'running', 'retrying'] as const) {
    for (let from = 0; ; from += AT_ONCE) {
      const found = listOf(await store.run(LIVE_POOLS, tenant, state, from, from + AT_ONCE - 1));
      for (const each of found) {
        const [name, since] = listOf(each).map(textOf);
        const counts = pools.get(name ?? '') ?? { pool: name ?? '', queued: 0, running: 0, retrying: 0 };
        counts[state] += 1;
        if (state === 'queued' && since !== undefined && since !== '')
          noteAge(counts, store.clock.now() - Number(since));
        pools.set(counts.pool, counts);
      }
      if (found.length < AT_ONCE) break;
    }
  }
  return [...pools.values()].toSorted((a, b) => (a.pool < b.pool ? -1 : 1));
}

function noteAge(counts: Counts, ageMs: number): void {
  counts.oldestQueuedMs = Math.max(0, ageMs, counts.oldestQueuedMs ?? 0);
}
