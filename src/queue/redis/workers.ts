import { UNKNOWN_WORKER, type SeenWorker, type WorkerFacts } from '../operations.ts';
import { jsonOf } from './record.ts';
import { listOf, mapOf, numberOf, textsOf } from './reply.ts';
import { WORKER_FACTS } from './scripts/workers.ts';
import type { RedisStore } from './store.ts';

/** Workers as they stood at one moment. */
export interface SeenWorkers {
  /** Their counters, as text. */
  readonly beats: ReadonlyMap<string, string>;
  /** Milliseconds since each was last heard of, by the server's clock. */
  readonly silentMs: ReadonlyMap<string, number>;
  /** Who has running scans. */
  readonly owners: readonly string[];
}

/** What `seenWorkers` of scripts/workers.ts answered. */
export function seenWorkersOf(reply: unknown): SeenWorkers {
  const [beats, beaten, now, owners] = listOf(reply);
  const serverMs = numberOf(now);
  const silent = [...mapOf(beaten)].map(([worker, at]) => [worker, serverMs - numberOf(at)] as const);
  return { beats: mapOf(beats), silentMs: new Map(silent), owners: textsOf(owners) };
}

/**
 * Worker ids on the list or with running scans that no longer work: dead, off the list, or frozen under our eyes; with
 * the counter each was judged by, empty for one that is off the list.
 * @param self The worker that asks, which evidently works.
 */
export function lostWorkers(store: RedisStore, { beats, owners }: SeenWorkers, self?: string): Map<string, string> {
  const lost = new Map<string, string>(owners.filter((owner) => !beats.has(owner)).map((owner) => [owner, '']));
  for (const [worker, beat] of beats) {
    if (worker === self) continue;
    const isFrozen = store.watch.frozen(worker, Number(beat));
    if (isFrozen || !store.isAlive(worker)) lost.set(worker, beat);
  }
  if (self !== undefined) lost.delete(self);
  store.watch.keep(new Set(beats.keys()));
  return lost;
}

/** A process that asks once has not watched anybody; silence this many leases long tells enough to show. */
const LEASES_OF_SILENCE = 4;

/** Workers that work as far as we can tell, to show; nothing is taken from the others for it. */
export function liveWorkers(store: RedisStore, { beats, silentMs }: SeenWorkers): readonly string[] {
  const longest = LEASES_OF_SILENCE * store.settings.leaseMs;
  const isLive = ([worker, beat]: readonly [string, string]): boolean =>
    !store.watch.frozen(worker, Number(beat)) && store.isAlive(worker) && (silentMs.get(worker) ?? 0) < longest;
  return [...beats].filter(isLive).map(([worker]) => worker);
}

/** Live workers, by id, with what each says of itself. */
export async function workers(store: RedisStore): Promise<readonly SeenWorker[]> {
  const [seen, said, runs] = listOf(await store.run(WORKER_FACTS));
  const { facts, running } = { facts: mapOf(said), running: mapOf(runs) };
  const known = seenWorkersOf(seen);
  return [...liveWorkers(store, known)].toSorted().map((workerId) => ({
    ...(jsonOf<WorkerFacts>(facts.get(workerId)) ?? UNKNOWN_WORKER),
    workerId,
    running: numberOf(running.get(workerId) ?? 0),
    beatAgoMs: Math.max(0, known.silentMs.get(workerId) ?? 0),
  }));
}
