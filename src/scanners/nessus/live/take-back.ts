import { AppError } from '../../../model/errors.ts';
import type { ScanJob } from '../../scanner.ts';
import type { NessusInstance } from './instance.ts';
import { describes, type RemoteRun } from './remote-run.ts';

const TRIES = 3;
const WAIT_MS = 1_000;

/**
 * Removes what a scan of ours logged in with from the scanner once it is over: passwords, and key files that no other
 * scan uses. A scanner that cannot be asked keeps them until the scan is deleted there.
 */
export async function takeCredentialsBack(instance: NessusInstance, job: ScanJob, run: RemoteRun): Promise<void> {
  if (job.request.access !== 'authenticated') return;
  const { api, life, timing } = instance;
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    try {
      const config = await api.config(run.id, life);
      if (!config || config.credentials.length === 0) return;
      if (config.description === undefined || !describes(config.description, run.marker)) return;
      await api.dropCredentials(run.id, config, life);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
    await timing.sleep(WAIT_MS, life);
  }
}
