import { AppError } from '../../../model/errors.ts';
import type { ScanJob } from '../../scanner.ts';
import type { ScanConfig } from '../api/answers.ts';
import type { NessusInstance } from './instance.ts';
import { isOurs, wasLaunched } from './own-scans.ts';
import { isAway } from './patience.ts';
import { describes, type RemoteRun } from './remote-run.ts';
import { isOver } from './remote-state.ts';

const TRIES = 3;
const WAIT_MS = 1_000;

/**
 * Removes what a scan of ours logged in with from the scanner once it is over: passwords, and key files that no other
 * scan uses. A scanner that cannot be asked keeps them until the scan is deleted there.
 * @returns what an operator has to do there, when it could not be done
 */
export async function takeCredentialsBack(
  instance: NessusInstance,
  { request }: Pick<ScanJob, 'request'>,
  run: RemoteRun,
): Promise<string | undefined> {
  if (request.access !== 'authenticated') return undefined;
  const { api, life, timing } = instance;
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    try {
      const config = await api.config(run.id, life);
      if (!config && !(await api.details(run.id, undefined, life))) return undefined;
      if (config && (holdsNone(config) || isForeign(config, run))) return undefined;
      if (config && isTold(config)) await api.dropCredentials(run.id, config, life);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
    await timing.sleep(WAIT_MS, life);
  }
  return loginLeft(instance, run);
}

/** A scanner that does not say what it holds may hold it. */
const holdsNone = ({ credentials }: ScanConfig): boolean => credentials?.length === 0;

const isTold = ({ credentials, description }: ScanConfig): boolean =>
  credentials !== undefined && description !== undefined;

const isForeign = ({ description }: ScanConfig, { marker }: RemoteRun): boolean =>
  description !== undefined && !describes(description, marker);

/**
 * The same after an attempt that failed: a scan of ours that never ran is deleted, since it holds the login too and
 * nobody would launch it any more. One that still runs is left to whoever takes it over.
 * @param error What the attempt failed with. When the scanner is away, a scan without a login is left to the next attempt.
 * @returns what an operator has to do there, when the login may still be there
 */
export async function clearUp(
  instance: NessusInstance,
  job: ScanJob,
  run: RemoteRun,
  error: unknown,
): Promise<string | undefined> {
  const hasLogin = job.request.access === 'authenticated';
  if (!hasLogin && isAway(error)) return undefined;
  const left = await clearedUp(instance, job, run);
  return hasLogin ? left : undefined;
}

async function clearedUp(instance: NessusInstance, job: ScanJob, run: RemoteRun): Promise<string | undefined> {
  const { api, life } = instance;
  try {
    const details = await api.details(run.id, undefined, life);
    if (!details || !(await isOurs(instance, run, details, life))) return undefined;
    if (!wasLaunched(details)) {
      const removed = await api.remove(run.id, life);
      if (removed.kind === 'done') return undefined;
    } else if (!isOver(details.info.status)) return loginLeft(instance, run);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // A scanner that does not answer, or forbids it, will not do so a moment later.
    return loginLeft(instance, run);
  }
  return await takeCredentialsBack(instance, job, run);
}

/** Its id and folder: where a person finds it. */
const loginLeft = ({ api, options }: NessusInstance, { id, marker }: RemoteRun): string =>
  `Operator: the login of this scan, and its key file if it has one, may still be at the scanner at ${api.where}; delete scan ${id} (${JSON.stringify(marker)}, ${folderText(options.folder)}) there.`;

const folderText = (folder: string | undefined): string =>
  folder === undefined ? 'in the main folder of its account' : `in folder ${JSON.stringify(folder)}`;

/** The same error, whose hint also says what was left at the scanner. */
export const withLeft = (error: unknown, left: string | undefined): unknown =>
  left === undefined || !(error instanceof AppError)
    ? error
    : new AppError(error.code, error.message, {
        cause: error,
        hint: `${error.hint} ${left}`,
        ...(error.targets === undefined ? {} : { targets: error.targets }),
      });
