import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { AppError } from '../../model/errors.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { endOrphans, markerOf, processReference } from '../../platform/orphans.ts';
import { endGroup, startSubprocess, type Exit, type Subprocess } from '../../platform/subprocess.ts';
import type { Checkpoint, RawReport, RunContext, ScanJob } from '../scanner.ts';
import { argvFor, type NmapRun } from './argv.ts';
import { CLEAN_ENV, findNmap, INSTALL_HINT, installedFiles } from './binary.ts';
import { createProgressTap, type ProgressTap } from './progress.ts';

const GRACE_MS = 5_000;

/**
 * Runs nmap once per group of targets, one after the other; their XML documents stand in one report, one after the
 * other. Ended on abort with its whole process group; what a killed nmap wrote so far is kept.
 * @throws AppError no_scanner_available, scan_aborted, and those of `argvFor`
 */
export async function runNmap(configured: string | undefined, job: ScanJob, ctx: RunContext): Promise<RawReport> {
  try {
    return await runAll(configured, job, ctx);
  } finally {
    await end(ctx.report);
  }
}

async function runAll(configured: string | undefined, job: ScanJob, ctx: RunContext): Promise<RawReport> {
  // First of all, and also for a scan that is being cancelled: nothing of a dead worker may go on.
  // A scan that had failed has lost its checkpoint, but what its last worker left still carries the marker.
  await clearAway(job.scanId, ctx.previous);
  ctx.signal.throwIfAborted();
  const binary = findNmap(configured);
  if (binary === undefined)
    throw new AppError('no_scanner_available', 'nmap is not installed.', { hint: INSTALL_HINT });
  const runs = argvFor(job.request, job.targets, installedFiles(binary));

  const total = runs.reduce((sum, { addresses }) => sum + addresses, 0);
  const tap = createProgressTap(job.request.intensity, total);
  // An empty working directory: nmap looks there for scripts and data files. The home only keeps what scripts run away
  // from the real one; nmap itself asks the system for the account's home, and is kept from it by `--datadir`.
  const home = await mkdtemp(join(tmpdir(), homePrefix(job.scanId)));
  const env = { ...CLEAN_ENV, HOME: home, TMPDIR: home, ...markerOf(job.scanId, job.epoch) };
  try {
    for (const run of runs) {
      tap.nextRun(run.addresses);
      const exit = await runOnce({ binary, run, env, home }, ctx, tap);
      ctx.signal.throwIfAborted();
      const reason = shortfall(exit, run, tap);
      if (reason !== undefined) return cutShort(reason, tap);
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
  return { whole: true };
}

const homePrefix = (scanId: string): string => `scanmux-nmap-${scanId}-`;

/** Ends and removes what attempts left whose worker was killed. */
async function clearAway(scanId: string, previous: Checkpoint | undefined): Promise<void> {
  const reference = previous?.reference;
  await endOrphans({ scanId, ...(reference === undefined ? {} : { reference }) });
  const homes = (await readdir(tmpdir())).filter((name) => name.startsWith(homePrefix(scanId)));
  await Promise.all(homes.map((name) => rm(join(tmpdir(), name), { recursive: true, force: true })));
}

interface Start {
  readonly binary: string;
  readonly run: NmapRun;
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
}

async function runOnce({ binary, run, env, home }: Start, ctx: RunContext, tap: ProgressTap): Promise<Exit> {
  ctx.progress(tap.progress);
  await ctx.checkpoint({ phase: 'intent' });
  const nmap = await start(binary, run.argv, { env, cwd: home, signal: ctx.signal });
  try {
    const reference = processReference(nmap.pid);
    await ctx.checkpoint({ phase: 'launched', ...(reference === undefined ? {} : { reference }) });
    for await (const chunk of nmap.stdout) {
      if (!Buffer.isBuffer(chunk)) continue;
      await write(ctx.report, chunk);
      if (tap.feed(chunk)) ctx.progress(tap.progress);
    }
    return await nmap.exit;
  } finally {
    // Nothing of the group may outlive the attempt: a refused checkpoint means that somebody else has the scan now.
    await endGroup(nmap.pid, 'SIGINT', GRACE_MS);
    nmap.stdout.destroy();
    await nmap.exit;
  }
}

async function start(
  binary: string,
  argv: readonly string[],
  { env, cwd, signal }: { env: Readonly<Record<string, string>>; cwd: string; signal: AbortSignal },
): Promise<Subprocess> {
  try {
    return await startSubprocess(binary, argv, { env, cwd, signal, stopSignal: 'SIGINT', graceMs: GRACE_MS });
  } catch (cause) {
    signal.throwIfAborted();
    throw new AppError('scan_aborted', 'nmap could not be started.', { cause });
  }
}

/** Resolves when the chunk is taken: a slow store slows nmap, and nothing piles up in memory. */
const write = (report: Writable, chunk: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    report.write(chunk, (error) => (error ? reject(error) : resolve()));
  });

/** Also after a failure: what was written is kept. A store that failed has already said so to the writer. */
async function end(report: Writable): Promise<void> {
  if (report.destroyed) return;
  report.end();
  await finished(report, { readable: false }).catch(() => {});
}

/** Why this run is not whole. Exit code 0 proves nothing: nmap must say that it succeeded, and list every host. */
function shortfall({ code, signal, stderr }: Exit, { addresses }: NmapRun, { run }: ProgressTap): string | undefined {
  if (signal !== null) return `nmap was ended by ${signal}.`;
  if (code !== 0 || !run.isSuccess) return `nmap ended with code ${code}: ${lastLine(stderr)}`;
  if (run.hostsDone < addresses) return `nmap reported ${run.hostsDone} of ${addresses} hosts: ${lastLine(stderr)}`;
  return undefined;
}

/** One short line in plain ASCII: where nmap gives up it says why, then `QUITTING!`. */
function lastLine(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const last = lines.findLast((line) => line !== '' && line !== 'QUITTING!') ?? 'it did not say why';
  return cleanLine(last.replace(/[^\x20-\x7e]/g, '?'), 200);
}

/** What was found before stays worth keeping; with nothing found the attempt has failed. */
function cutShort(reason: string, { progress }: ProgressTap): RawReport {
  if ((progress.hostsDone ?? 0) + (progress.findingsSoFar ?? 0) === 0) throw new AppError('scan_aborted', reason);
  return { whole: false, reason };
}
