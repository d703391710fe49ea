import type { RunContext } from '../../scanner.ts';
import { AppError } from '../../../model/errors.ts';
import type { Details } from '../api/answers.ts';
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

/**
 * Ends our own scan and waits until it has really ended; one that was never launched is removed.
 * @returns the run when there may be something to export
 * @throws AppError those of the client, when it cannot be stopped
 */
export async function windDown(
  instance: NessusInstance,
  run: RemoteRun,
  ctx: Pick<RunContext, 'progress'>,
): Promise<RemoteRun | undefined> {
  const { api, life, timing, options } = instance;
  const since = timing.monotonic();
  const until = since + options.stopMs;
  let known = run;
  let askedAt = -Infinity;
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_LOOK_MS)) {
    const seen = await detailsOf(instance, known, ctx);
    if (seen === 'gone') return undefined;
    if (seen !== 'unknown') {
      if (askedAt === -Infinity && !(await isOurs(instance, known, seen, life))) return undefined;
      if (!wasLaunched(seen) && (await removedUnlaunched(instance, run, since))) return undefined;
      known = withHistory(known, seen);
      if (isOver(seen.info.status)) return known;
      const isStopping = stateOf(seen.info.status) === 'stopping';
      if (!isStopping && timing.monotonic() - askedAt > ASK_AGAIN_MS) {
        askedAt = timing.monotonic();
        // Refused or unclear: the next look tells.
        await api.stop(known.id, life);
      }
    }
    if (timing.monotonic() > until)
      throw new AppError('scan_aborted', `The scanner did not end its scan ${known.id} in time; it may go on there.`);
    await timing.sleep(waitMs, life);
  }
}

async function detailsOf(
  { api, life }: NessusInstance,
  { id, history_id: history }: RemoteRun,
  ctx: Pick<RunContext, 'progress'>,
): Promise<Details | 'gone' | 'unknown'> {
  ctx.progress({ percent: 0, phase: 'stopping at the scanner', estimated: true, remoteId: id });
  try {
    return (await api.details(id, history, life)) ?? 'gone';
  } catch (error) {
    if (isAway(error)) return 'unknown';
    throw error;
  }
}

/**
 * Nothing was sent to any target, and nothing is to be exported.
 * @param since When the scan was to end, by the monotonic clock.
 * @returns false when it may run after all: a launch that was taken, or 409
 */
async function removedUnlaunched(
  { api, life, timing }: NessusInstance,
  { id, scan_uuid: launch }: RemoteRun,
  since: number,
): Promise<boolean> {
  if (launch !== undefined && timing.monotonic() - since < UNSHOWN_MS) return false;
  const removed = await api.remove(id, life);
  return removed.kind !== 'refused' || removed.status !== 409;
}
