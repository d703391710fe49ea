import type { Log } from '../platform/log.ts';
import type { WorkerFacts } from '../queue/operations.ts';
import type { ScanQueue } from '../queue/queue.ts';

export interface HeartDeps {
  readonly queue: Pick<ScanQueue, 'heartbeat' | 'retire'>;
  readonly workerId: string;
  readonly facts: Omit<WorkerFacts, 'draining'>;
  readonly everyMs: number;
  readonly log: Log;
  /** Called after every beat that reached the queue. */
  readonly answered?: () => void;
}

/** Keeps a worker on the list, with what it says of itself. */
export interface Heart {
  /** From now on others see that it takes no new scans. Returns at once. */
  readonly drain: () => void;
  /** Takes the worker off the list. Never throws: a queue that is away forgets it by itself. */
  readonly stop: () => Promise<void>;
}

/** @throws AppError as `ScanQueue.heartbeat` when the first beat does not reach the queue */
export async function startHeart({ queue, workerId, facts, everyMs, log, answered }: HeartDeps): Promise<Heart> {
  let draining = false;
  let beating: Promise<void> = Promise.resolve();
  const beat = (): void => {
    // One after another, so that the last one to arrive is the newest.
    beating = beating
      .then(() => queue.heartbeat(workerId, { ...facts, draining }))
      .then(answered)
      .catch((error: unknown) => log.warn({ err: error }, 'heartbeat failed'));
  };
  await queue.heartbeat(workerId, { ...facts, draining });
  const timer = setInterval(beat, everyMs);
  return {
    drain() {
      draining = true;
      beat();
    },
    async stop() {
      clearInterval(timer);
      // A beat after it was taken off would put it on again.
      await beating;
      await queue.retire(workerId).catch((error: unknown) => log.warn({ err: error }, 'worker could not be taken off'));
    },
  };
}
