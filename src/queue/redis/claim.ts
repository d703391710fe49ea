import type { Claim, Slot } from '../queue.ts';
import { checkpointOf, recordOf } from './record.ts';
import { isNothing, listOf, numberOf, textOf, textsOf } from './reply.ts';
import { newRequestId } from './request-id.ts';
import { CLAIM } from './scripts/claim.ts';
import { LEAP, QUEUED_POOLS, SEEN_WORKERS } from './scripts/workers.ts';
import type { RedisStore } from './store.ts';
import { lostWorkers, seenWorkersOf, type SeenWorkers } from './workers.ts';

/** One step of tidying is bounded; this many follow one another when nothing could start. */
const MOST_STEPS = 50;

interface Answer {
  readonly claim: Claim | undefined;
  /** There is more to tidy. */
  readonly more: boolean;
  readonly workers: SeenWorkers;
}

export type Claiming = (workerId: string, slots: readonly Slot[]) => Promise<Claim | undefined>;

/**
 * A claim judges workers by how they stood at the last one and judges them again when nothing could start: the step
 * itself takes nothing from a worker that has beaten since.
 */
export function createClaiming(store: RedisStore): Claiming {
  let seen: SeenWorkers | undefined;
  const requests = createRequests();

  const ask = async (workerId: string, slots: readonly Slot[], lost: ReadonlyMap<string, string>): Promise<Answer> => {
    const { maxLostLeases, adoptPatienceMs, queuedExpiryHours } = store.settings;
    const id = requests.idOf(workerId);
    const rules = [maxLostLeases, adoptPatienceMs, queuedExpiryHours];
    try {
      return answerOf(await store.run(CLAIM, workerId, id, JSON.stringify(slots), JSON.stringify([...lost]), ...rules));
    } catch (error) {
      requests.wasLost(workerId, id);
      throw error;
    }
  };
  return async (workerId, slots) => {
    await leap(store);
    seen ??= seenWorkersOf(await store.run(SEEN_WORKERS));
    let lost = lostWorkers(store, seen, workerId);
    for (let step = 0; step < MOST_STEPS; step++) {
      const { claim, more, workers } = await ask(workerId, slots, lost);
      seen = workers;
      if (claim) return claim;
      const judged = lost;
      lost = lostWorkers(store, workers, workerId);
      const isNews = [...lost].some(([worker, beat]) => judged.get(worker) !== beat);
      if (!more && !isNews) return undefined;
    }
    return undefined;
  };
}

function answerOf(reply: unknown): Answer {
  const [taken, more, workers] = listOf(reply);
  return {
    claim: isNothing(taken) ? undefined : claimOf(taken),
    more: numberOf(more) === 1,
    workers: seenWorkersOf(workers),
  };
}

function claimOf(reply: unknown): Claim {
  const scan = recordOf(reply);
  return { scan, epoch: scan.epoch, instance: scan.instance ?? '', checkpoint: checkpointOf(reply) };
}

/** What waited before the wall clock leapt ahead has not waited for what was left out. */
async function leap(store: RedisStore): Promise<void> {
  const jump = store.jumped();
  if (!jump) return;
  for (const pool of textsOf(await store.run(QUEUED_POOLS))) {
    for (let until = String(jump.from); until !== '';) {
      until = textOf(await store.run(LEAP, pool, until, Math.round(jump.byMs)));
    }
  }
}

/**
 * Requests that got no answer. The next claim of the worker asks with the same id, and so gets the scan that the lost
 * answer gave to it.
 */
function createRequests(): { idOf(workerId: string): string; wasLost(workerId: string, id: string): void } {
  const lost = new Map<string, string[]>();
  return {
    idOf: (workerId) => lost.get(workerId)?.pop() ?? newRequestId(),
    wasLost(workerId, id) {
      lost.set(workerId, [...(lost.get(workerId) ?? []), id]);
    },
  };
}
