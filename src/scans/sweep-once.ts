import type { ScanDeps } from './deps.ts';

/**
 * What removes the files of imports whose processes were killed, at the first call that succeeds: nobody may ever start
 * a worker, which would do it too. Never throws, because an import does not depend on it.
 */
export function createSweepOnce({ files, queue, log }: Pick<ScanDeps, 'files' | 'queue' | 'log'>): () => Promise<void> {
  let isDone = false;
  return async () => {
    if (isDone) return;
    try {
      const removed = await files.sweepAbandoned((scanIds) => queue.referencedAttempts(scanIds));
      isDone = true;
      if (removed > 0) log.info({ removed }, 'files of imports that were killed are removed');
    } catch (error) {
      log.warn({ err: error }, 'files of imports that were killed could not be removed; the next import tries again');
    }
  };
}
