import type { RunContext } from '../../scanner.ts';
import { AppError } from '../../../model/errors.ts';
import type { NessusInstance } from './instance.ts';
import { isOurs, wasLaunched, withHistory } from './own-scans.ts';
import type { RemoteRun } from './remote-run.ts';
import { isAway } from './patience.ts';
import { isOver, stateOf } from './remote-state.ts';

const FIRST_LOOK_MS = 1_000;
const LONGEST_LOOK_MS = 5_000;
/** A stop that had no effect (the scan was between two states) is asked for again after this long. */
const ASK_AGAIN_MS = 15_000;
/** For so long a scan may show nothing of a launch that was taken. */
const UNSHOWN_MS = 30_000;

/** What is remembered between two looks. */
interface Ending {
  run: RemoteRun;
  /** Monotonic milliseconds. */
  readonly since: number;
  /** The same; when it was last asked to stop. */
  askedAt: number;
}

/**
 * Ends our own scan and waits until it has really ended; one that was never launched is removed. A scanner that is away or
 * takes no more requests is asked again.
 * @returns the run when there may be something to export
 * @throws AppError those of the client, when it cannot be stopped
 */
export async function windDown(
  instance: NessusInstance,
  run: RemoteRun,
  ctx: Pick<RunContext, 'progress'>,
): Promise<RemoteRun | undefined> {
  const { life, timing, options } = instance;
  const ending: Ending = { run, since: timing.monotonic(), askedAt: -Infinity };
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_LOOK_MS)) {
    ctx.progress({ percent: 0, phase: 'stopping at the scanner', estimated: true, remoteId: run.id });
    try {
      const over = await endOnce(instance, ending);
      if (over) return over.run;
    } catch (error) {
      if (!isAway(error)) throw error;
    }
    if (timing.monotonic() - ending.since > options.stopMs)
      throw new AppError('scan_aborted', `The scanner did not end its scan ${run.id} in time; it may go on there.`);
    await timing.sleep(waitMs, life);
  }
}

/** @returns the run when it has ended, without one when there is none; undefined while it goes on */
async function endOnce(
  instance: NessusInstance,
  ending: Ending,
): Promise<{ readonly run: RemoteRun | undefined } | undefined> {
  const { api, life, timing } = instance;
  const { run } = ending;
  const seen = await api.details(run.id, run.history_id, life);
  if (!seen) return { run: undefined };
  if (ending.askedAt === -Infinity && !(await isOurs(instance, run, seen, life))) return { run: undefined };
  if (!wasLaunched(seen) && (await removedUnlaunched(instance, ending))) return { run: undefined };
  ending.run = withHistory(run, seen);
  if (isOver(seen.info.status)) return { run: ending.run };
  const isStopping = stateOf(seen.info.status) === 'stopping';
  if (!isStopping && timing.monotonic() - ending.askedAt > ASK_AGAIN_MS) {
    ending.askedAt = timing.monotonic();
    // Refused or unclear: the next look tells.
    await api.stop(run.id, life);
  }
  return undefined;
}

/**
 * Nothing was sent to any target, and nothing is to be exported.
 * @returns false when it may run after all: a launch that was taken, or 409
 */
async function removedUnlaunched({ api, life, timing }: NessusInstance, { run, since }: Ending): Promise<boolean> {
  if (run.scan_uuid !== undefined && timing.monotonic() - since < UNSHOWN_MS) return false;
  const removed = await api.remove(run.id, life);
  return removed.kind !== 'refused' || removed.status !== 409;
}
