import { cleanLine } from '../../../model/untrusted.ts';
import type { RunContext } from '../../scanner.ts';
import type { Details, ListedScan } from '../api/answers.ts';
import { progressOf, type HostProgress } from './host-progress.ts';
import type { NessusInstance } from './instance.ts';
import { lost, lostInOutage } from './lost.ts';
import { withHistory } from './own-scans.ts';
import { isAway } from './patience.ts';
import { referenceOf, type RemoteRun } from './remote-run.ts';
import { isOver, stateOf, type RemoteState } from './remote-state.ts';
import { pollIntervalMs } from './scan-poller.ts';

/** How a remote run ended, in the scanner's own word. */
export interface EndedRun {
  readonly run: RemoteRun;
  readonly status: string;
  readonly details: Details;
}

export type FollowContext = Pick<RunContext, 'signal' | 'progress' | 'checkpoint'>;

/** What is remembered between two looks. */
interface Look {
  run: RemoteRun;
  shown: HostProgress;
  /** Monotonic milliseconds since when the scanner does not answer. */
  silentSince: number | undefined;
}

/**
 * Waits until a launched scan is over. Outages, pauses and states nobody knows are waited through.
 * @throws AppError remote_scan_lost, scanner_login_failed; the signal's reason
 */
export async function follow(instance: NessusInstance, run: RemoteRun, ctx: FollowContext): Promise<EndedRun> {
  const look: Look = { run, shown: { percent: 0, hostsDone: 0, findingsSoFar: 0 }, silentSince: undefined };
  for (let count = 0; ; count += 1) {
    try {
      const list = await instance.poller.next(pollIntervalMs(count), ctx.signal);
      const ended = await lookOnce(instance, look, list.get(run.id), ctx);
      if (ended) return ended;
      look.silentSince = undefined;
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (!isAway(error)) throw error;
      waitOut(instance, look, error, ctx);
    }
  }
}

/** The scan goes on at the scanner while that cannot be asked: starting another one would be wrong. */
function waitOut({ timing, options }: NessusInstance, look: Look, error: unknown, ctx: FollowContext): void {
  const now = timing.monotonic();
  look.silentSince ??= now;
  if (now - look.silentSince > options.outageMs) {
    throw lostInOutage(options.outageMs, error);
  }
  show(look, 'waiting for the scanner to answer again', ctx);
}

async function lookOnce(
  { api }: NessusInstance,
  look: Look,
  listed: ListedScan | undefined,
  ctx: FollowContext,
): Promise<EndedRun | undefined> {
  const said = listed?.status ?? '';
  const isStill = stateOf(said) === 'waiting' || stateOf(said) === 'paused' || stateOf(said) === 'stopping';
  if (listed && isStill && isOurRun(listed, look.run)) {
    show(look, phaseOf(said), ctx);
    return undefined;
  }
  // Gone from the list, at work, over, or launched once more by somebody: only the details of our own run tell.
  const details = await api.details(look.run.id, look.run.history_id, ctx.signal);
  if (!details) throw lost('Somebody deleted it while it ran, or removed its results.');
  await learn(look, details, ctx);
  const status = statusOf(look.run, details);
  if (isOver(status)) return { run: look.run, status, details };
  look.shown = later(look.shown, progressOf(details));
  show(look, phaseOf(status), ctx);
  return undefined;
}

/** The list speaks of the newest run; for a while after the launch it may not know one. */
const isOurRun = ({ uuid }: ListedScan, { scan_uuid: ours }: RemoteRun): boolean =>
  uuid === undefined || ours === undefined || uuid === ours;

/** `info` is about the run that was asked for; without its id, about the newest. */
function statusOf({ history_id: id }: RemoteRun, { info, history }: Details): string {
  const own = history.find((entry) => entry.history_id === id)?.status;
  return info.status !== '' || own === undefined ? info.status : own;
}

async function learn(look: Look, details: Details, ctx: FollowContext): Promise<void> {
  const known = withHistory(look.run, details);
  if (known.history_id === look.run.history_id) return;
  await ctx.checkpoint({ phase: 'launched', reference: referenceOf(known) });
  look.run = known;
}

/** Shown progress never falls, whatever the hosts say. */
const later = (before: HostProgress, now: HostProgress): HostProgress => ({
  percent: Math.max(before.percent, now.percent),
  hostsDone: Math.max(before.hostsDone, now.hostsDone),
  findingsSoFar: Math.max(before.findingsSoFar, now.findingsSoFar),
});

function show({ run, shown }: Look, phase: string, ctx: FollowContext): void {
  ctx.progress({ ...shown, phase, estimated: true, remoteId: run.id });
}

const PHASES: Readonly<Record<Exclude<RemoteState, 'unknown'>, string>> = {
  waiting: 'waiting at the scanner',
  running: 'scanning',
  paused: 'paused',
  stopping: 'stopping at the scanner',
  done: 'done at the scanner',
  cut: 'ended at the scanner',
};

function phaseOf(status: string): string {
  const state = stateOf(status);
  return state === 'unknown' ? `unknown state at the scanner: ${cleanLine(status, 40) || 'none'}` : PHASES[state];
}
