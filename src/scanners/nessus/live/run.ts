import type { RawReport, RunContext, ScanJob } from '../../scanner.ts';
import { startOrAdopt, type RemoteScans } from '../../start-or-adopt.ts';
import { AppError } from '../../../model/errors.ts';
import { createReportCopy, endReport } from './copy-report.ts';
import { createRemote, orphanedKey } from './create-remote.ts';
import { exportReport, type ExportDeps } from './export-report.ts';
import { follow, type EndedRun } from './follow.ts';
import type { NessusInstance } from './instance.ts';
import { launchOnce } from './launch-once.ts';
import { lost } from './lost.ts';
import { foremost, isActive, isOurs, scansNamed, scansOfAttempts, wasLaunched, withHistory } from './own-scans.ts';
import { patiently } from './patience.ts';
import { markerOf, referenceOf, runOf, type RemoteRun } from './remote-run.ts';
import { shortfallOf } from './remote-state.ts';
import { sweepOld } from './retention.ts';
import { isHandedOn } from './stop-cause.ts';
import { clearUp, takeCredentialsBack, withLeft } from './take-back.ts';
import { windDown } from './wind-down.ts';

/**
 * Runs one attempt: makes and launches a scan there, or takes over the one an earlier attempt started, waits for its end
 * and fetches its report. On a cancel it stops its own scan, waits until it has ended and keeps what it found; when the
 * attempt is handed on, the scan goes on for whoever adopts it.
 * @throws AppError remote_scan_lost, scan_aborted, scanner_unreachable, scanner_login_failed,
 *   scanner_edition_forbids_api, config_invalid, option_unsupported, report_unreadable; the signal's reason
 */
export async function runRemote(instance: NessusInstance, job: ScanJob, ctx: RunContext): Promise<RawReport> {
  return await instance.using(async () => {
    const orphans: string[] = [];
    try {
      const report = await attempt(instance, job, ctx, orphans);
      const leftBehind = [...orphans, report.leftBehind ?? []].flat();
      return leftBehind.length === 0 ? report : { ...report, leftBehind: leftBehind.join(' ') };
    } catch (error) {
      throw ctx.signal.aborted ? error : withLeft(error, orphans[0]);
    } finally {
      await endReport(ctx.report);
    }
  });
}

/** @param orphans takes what an earlier attempt may have left and nobody can find any more */
async function attempt(instance: NessusInstance, job: ScanJob, ctx: RunContext, orphans: string[]): Promise<RawReport> {
  let run: RemoteRun | undefined;
  try {
    run = await (ctx.previous
      ? patiently(instance, ctx, () => located(instance, job, ctx, orphans))
      : located(instance, job, ctx, orphans));
    ctx.signal.throwIfAborted();
    run = await launched(instance, job, run, ctx);
    ctx.signal.throwIfAborted();
    const ended = await follow(instance, run, ctx);
    return await collected(instance, job, ended, ctx);
  } catch (error) {
    if (!ctx.signal.aborted) throw withLeft(error, run && (await clearUp(instance, job, run, error)));
    // Lost with the lease or given back: the scan belongs to the next attempt now.
    if (isHandedOn(ctx.signal) || run === undefined) throw ctx.signal.reason;
    const leftBehind = await ended(instance, job, run, ctx);
    if (leftBehind !== undefined) return { whole: false, leftBehind };
    throw ctx.signal.reason;
  }
}

/**
 * The one remote scan of this scan. Whoever takes one over waits for a scanner that is away; whoever starts anew is tried
 * again as a whole.
 */
async function located(instance: NessusInstance, job: ScanJob, ctx: RunContext, orphans: string[]): Promise<RemoteRun> {
  const earlier = ctx.previous || job.epoch <= 1 ? undefined : await leftBehind(instance, job, ctx);
  if (earlier) return earlier;
  const { life } = instance;
  const remote: RemoteScans = {
    async find(marker) {
      const found = foremost(await scansNamed(instance, marker, life));
      return found && referenceOf({ id: found.id, marker });
    },
    async start(marker) {
      if (ctx.previous) orphans.splice(0, 1, ...orphanedKey(instance, job, ctx.credential));
      return referenceOf(await createRemote(instance, job, ctx.credential, marker, ctx.signal));
    },
    remove: (reference) => removeTwin(instance, reference),
  };
  const run = runOf(await startOrAdopt(ctx, remote, markerOf(job)));
  if (!run) throw lost('What was noted about it cannot be read.');
  return run;
}

/**
 * An attempt that failed cleanly has left nothing running, as far as it knew; a launch whose answer never came may run
 * all the same. Such a scan is taken over, and one that was only made is removed.
 */
async function leftBehind(instance: NessusInstance, job: ScanJob, ctx: RunContext): Promise<RemoteRun | undefined> {
  ctx.signal.throwIfAborted();
  const left = await scansOfAttempts(instance, job.scanId, ctx.signal);
  for (const scan of left) if (scan.status === 'empty') await instance.api.remove(scan.id, ctx.signal);
  const active = left.find(isActive);
  if (!active) return undefined;
  const run = { id: active.id, marker: active.name };
  await ctx.checkpoint({ phase: 'launched', reference: referenceOf(run) });
  return run;
}

/**
 * A scan that was made in vain is removed only where another attempt has made its own: else that attempt may have
 * adopted this one already.
 */
async function removeTwin(instance: NessusInstance, reference: string): Promise<void> {
  const run = runOf(reference);
  if (!run) return;
  const twins = await scansNamed(instance, run.marker, instance.life);
  const mine = twins.find(({ id }) => id === run.id);
  if (twins.length > 1 && mine?.status === 'empty' && foremost(twins)?.id !== run.id) {
    await instance.api.remove(run.id, instance.life);
  }
}

/**
 * Launches it unless that has happened, and notes it. From here on there is a scan at the scanner, so one that is away is
 * waited for.
 */
async function launched(instance: NessusInstance, job: ScanJob, run: RemoteRun, ctx: RunContext): Promise<RemoteRun> {
  // Fresh from our own hands it cannot run yet; taken over, or tried before, it may.
  let isFresh = ctx.previous === undefined && run.marker === markerOf(job);
  const known = await patiently(instance, ctx, async () => {
    if (!isFresh) return await adopted(instance, run, ctx);
    isFresh = false;
    return await launchOnce(instance, run, ctx.signal);
  });
  await ctx.checkpoint({ phase: 'launched', reference: referenceOf(known) });
  return known;
}

async function adopted(instance: NessusInstance, run: RemoteRun, ctx: RunContext): Promise<RemoteRun> {
  const details = await instance.api.details(run.id, undefined, ctx.signal);
  if (!details) throw lost('Somebody deleted it.');
  if (!(await isOurs(instance, run, details, ctx.signal))) throw lost('Another scan has its number now.');
  const isKnownToRun = run.scan_uuid !== undefined || run.history_id !== undefined;
  if (isKnownToRun || wasLaunched(details)) return withHistory(run, details);
  return await launchOnce(instance, run, ctx.signal);
}

function exportDeps(
  { api, timing, options }: NessusInstance,
  { id }: RemoteRun,
  ctx: RunContext,
  percent: number,
): ExportDeps {
  const atWork = (): void => ctx.progress({ percent, phase: 'fetching the report', estimated: true, remoteId: id });
  atWork();
  return { api, timing, limitMs: options.exportMs, atWork };
}

/** Fetches what a run left, whole or not. */
async function collected(instance: NessusInstance, job: ScanJob, over: EndedRun, ctx: RunContext): Promise<RawReport> {
  try {
    const report = await fetched(instance, over, ctx);
    const leftBehind = await takeCredentialsBack(instance, job, over.run);
    return leftBehind === undefined ? report : { ...report, leftBehind };
  } finally {
    await sweepOld(instance);
  }
}

async function fetched(
  instance: NessusInstance,
  { run, status, details }: EndedRun,
  ctx: RunContext,
): Promise<RawReport> {
  const shortfall = shortfallOf(status);
  const deps = exportDeps(instance, run, ctx, 99);
  const copy = createReportCopy(ctx.report, deps.atWork);
  const found = await patiently(instance, ctx, () => exportReport(deps, run, copy, ctx.signal));
  if (shortfall === undefined && found) return { whole: true };
  if (found && details.hosts.length > 0) return { whole: false, reason: shortfall ?? '' };
  if (status === 'aborted')
    throw new AppError('scan_aborted', 'The scanner aborted the scan before it had found anything.');
  throw lost(
    shortfall === undefined ? 'Its results were removed.' : 'Somebody stopped it before it had found anything.',
  );
}

/**
 * After a cancel or time limit. What cannot be done must not hide why the attempt ends.
 * @returns what an operator has to do at the scanner, when the login may still be there
 */
async function ended(
  instance: NessusInstance,
  job: ScanJob,
  run: RemoteRun,
  ctx: RunContext,
): Promise<string | undefined> {
  try {
    const over = await windDown(instance, run, ctx);
    if (over && !ctx.report.destroyed && !ctx.report.writableEnded) {
      const deps = exportDeps(instance, over, ctx, 0);
      await exportReport(deps, over, createReportCopy(ctx.report, deps.atWork), instance.life);
    }
  } catch (error) {
    // A scan that could not be ended is no reason not to try.
    if (!(error instanceof AppError)) throw error;
  }
  return await takeCredentialsBack(instance, job, run);
}
