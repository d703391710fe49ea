import { endMarked } from '../platform/orphans.ts';
import type { WorkerDeps } from './deps.ts';

/**
 * Ends child processes of engines that dead workers of this machine left, whatever became of their scans. Never throws.
 * The one worker of a data folder may end all of its queue's before it starts any. Where other workers may live beside
 * this one, only attempts go that no record refers to any more: their scans have ended, or go on elsewhere.
 */
export async function endLeftovers({
  queue,
  log,
  isAlone,
}: Pick<WorkerDeps, 'queue' | 'log' | 'isAlone'>): Promise<void> {
  try {
    const ended = await endMarked(async (scanId, epoch) => {
      const epochs = (await queue.referencedAttempts([scanId])).get(scanId);
      return epochs !== undefined && (isAlone || !epochs.has(epoch));
    });
    if (ended > 0) log.warn({ ended }, 'processes of dead workers were ended');
  } catch (error) {
    log.warn({ err: error }, 'processes of dead workers could not be looked for');
  }
}
