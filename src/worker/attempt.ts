import { createReadStream } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, type ErrorCode } from '../model/errors.ts';
import { verdictOf } from '../model/coverage.ts';
import type { Artefact, ScanResult } from '../model/scan.ts';
import type { PinnedTarget } from '../model/target.ts';
import type { Ingested } from '../findings/findings.ts';
import type { ReportSink } from '../findings/artefacts.ts';
import type { Claim, Outcome } from '../queue/queue.ts';
import type { RawReport, RunContext, Scanner, ScanJob } from '../scanners/scanner.ts';
import { admitAgain, type Admitted } from './admit-again.ts';
import type { WorkerDeps } from './deps.ts';
import { finishSurely } from './finish.ts';
import { keepLease } from './lease-keeper.ts';
import { failureOutcome } from './outcome.ts';
import { createProgressWriter } from './progress-writer.ts';
import { createStopButton, StopRequest, type StopButton, type StopCause } from './stop.ts';

/** How an engine's run ended: by itself, or by throwing. */
type Ended =
  | { readonly report: RawReport; readonly error?: undefined }
  | { readonly error: unknown; readonly report?: undefined };

/**
 * Runs one claim to its end and writes the outcome. Never rejects: every way to fail is an outcome.
 * @param shutdown Aborts when the worker must go.
 * @returns the outcome's kind, or `lost` when the claim had passed to another.
 */
export async function runAttempt(
  deps: WorkerDeps,
  claim: Claim,
  shutdown: AbortSignal,
): Promise<Outcome['kind'] | 'lost'> {
  const log = deps.log.child({ scan_id: claim.scan.scanId, trace_id: claim.scan.traceId, epoch: claim.epoch });
  const button = createStopButton();
  const onShutdown = (): void => button.press('shutdown');
  shutdown.addEventListener('abort', onShutdown, { once: true });
  if (shutdown.aborted) onShutdown();
  const release = keepLease(deps.queue, claim, button, log);
  try {
    log.info({ pool: claim.scan.request.pool, instance: claim.instance }, 'attempt starts');
    const outcome = await attempt(deps, claim, button).catch((error: unknown) => {
      log.error({ err: error }, 'attempt failed');
      return failureOutcome(deps, claim, button.cause(), error, undefined);
    });
    if (outcome === 'lost') return 'lost';
    const written = await finishSurely({ ...deps, log }, claim, outcome, shutdown);
    log.info({ outcome: outcome.kind, written }, 'attempt ended');
    return written ? outcome.kind : 'lost';
  } catch (error) {
    // The queue cannot be written: the lease is lost with this process or by its age, and another attempt takes over.
    log.error({ err: error }, 'outcome could not be written');
    return 'lost';
  } finally {
    release();
    shutdown.removeEventListener('abort', onShutdown);
  }
}

async function attempt(deps: WorkerDeps, claim: Claim, button: StopButton): Promise<Outcome | 'lost'> {
  const { scan, epoch } = claim;
  const scanner = scannerOf(deps, claim);
  // A reload took the instance away between the claim and now: another one may have the scan.
  if (!scanner) return { kind: 'released' };
  const { targets, notes, refusal } = await admit(deps, claim, button);
  const sink = await deps.files.openReport(scan.scanId, epoch, deps.settings.maxRawReportBytes);
  const ended = await drive(deps, claim, button, { scanner, targets, sink });
  const cause = button.cause();
  const raw = await sink.close().catch((error: unknown) => ({ failure: error }));
  const leftOver = passedOn(cause, ended);
  if (leftOver) return leftOver;
  if (refusal !== undefined) return failureOutcome(deps, claim, cause, refusal, undefined);
  if ('failure' in raw) return failureOutcome(deps, claim, cause, raw.failure, undefined);
  const reported = await ingest(deps, claim, { scanner, targets, notes, raw });
  deps.registry.reportOutcome(scan.request.pool, claim.instance, cause !== undefined || !isInstanceFault(ended.error));
  const result = resultOf(reported, raw, ended.report);
  const error = ended.error ?? reported.readError;
  if (error !== undefined || wasCut(cause, ended)) return failureOutcome(deps, claim, cause, error, result);
  return cause === 'cancelled' ? { kind: 'cancelled', result } : { kind: 'completed', result };
}

/** The policy may need a name server; a cancel does not wait for a slow one. */
const ADMIT_MS = 10_000;

/**
 * Asks the policy again. A refusal ends the attempt at once, unless an earlier attempt left something outside: then the
 * engine is run once more, told to stop before it begins, and the refusal is the outcome.
 */
async function admit(deps: WorkerDeps, { scan, checkpoint }: Claim, button: StopButton): Promise<Admission> {
  if (!checkpoint) return await admitAgain(deps, scan, button.signal);
  try {
    return await admitAgain(deps, scan, AbortSignal.timeout(ADMIT_MS));
  } catch (refusal) {
    button.press('denied');
    return { targets: [], notes: [], refusal };
  }
}
type Admission = Admitted & { readonly refusal?: unknown };

/** How an attempt ends whose scan is another's now, or the next worker's; what came to its whole end is kept. */
function passedOn(cause: StopCause | undefined, { report }: Ended): Outcome | 'lost' | undefined {
  if (cause === 'lease_lost') return 'lost';
  return cause === 'shutdown' && report?.whole !== true ? { kind: 'released' } : undefined;
}

/** An engine may return what it had when its time is over, or throw. */
const wasCut = (cause: StopCause | undefined, { report }: Ended): boolean =>
  cause === 'timed_out' && report?.whole !== true;

/** Taken before anything is waited for, so that the run keeps this handle whatever a reload does. */
const scannerOf = ({ registry }: WorkerDeps, { scan, instance }: Claim): Scanner | undefined =>
  registry
    .pools()
    .find(({ name }) => name === scan.request.pool)
    ?.instances.find(({ instanceId }) => instanceId === instance)?.scanner;

/** Errors that speak against the instance. A target that makes an engine fail must not take the pool from everybody. */
const INSTANCE_FAULTS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'scanner_unreachable',
  'scanner_login_failed',
  'rate_limited',
]);
const isInstanceFault = (error: unknown): boolean => error instanceof AppError && INSTANCE_FAULTS.has(error.code);

interface Run {
  readonly scanner: Scanner;
  readonly targets: readonly PinnedTarget[];
  readonly sink: ReportSink;
}

/** Lets the engine run under its time limit: first asked to stop, then given up on. */
async function drive(
  deps: WorkerDeps,
  claim: Claim,
  button: StopButton,
  { scanner, targets, sink }: Run,
): Promise<Ended> {
  const { scan, epoch } = claim;
  const hostsTotal = targets.reduce((sum, { target }) => sum + (target.kind === 'network' ? target.size : 1), 0);
  const progress = createProgressWriter({
    clock: deps.clock,
    log: deps.log,
    hostsTotal,
    write: (now) => deps.queue.progress(claim, now),
  });
  const job: ScanJob = { scanId: scan.scanId, traceId: scan.traceId, epoch, request: scan.request, targets };
  const context: RunContext = {
    signal: button.signal,
    report: sink.writable,
    previous: claim.checkpoint,
    progress: progress.report,
    async checkpoint(made) {
      if (await deps.queue.checkpoint(claim, made)) return;
      button.press('lease_lost');
      throw new StopRequest('lease_lost');
    },
  };
  // An engine that waits until a destroyed report drains would wait for ever.
  sink.writable.once('error', () => button.press('report_failed'));
  const limit = setTimeout(() => button.press('timed_out'), scan.request.max_duration_minutes * deps.settings.minuteMs);
  const over = new AbortController();
  try {
    // Only the engine can end what an earlier attempt left running.
    if (!claim.checkpoint) button.signal.throwIfAborted();
    const running = scanner.run(job, context).then(
      (report): Ended => ({ report }),
      (error: unknown): Ended => ({ error: error ?? new Error('engine threw nothing') }),
    );
    return await Promise.race([running, givenUp(button.signal, deps.settings.hardStopMs, over.signal)]);
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(limit);
    over.abort();
    await progress.close();
  }
}

/** An engine that does not stop when told is left alone after a while; its writes are fenced off. */
async function givenUp(stop: AbortSignal, hardStopMs: number, over: AbortSignal): Promise<Ended> {
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', () => resolve(), { once: true });
  });
  await delay(hardStopMs, undefined, { signal: over }).catch(() => undefined);
  return { error: new AppError('scan_aborted', 'The engine did not stop in time and was given up on.') };
}

interface Ingest {
  readonly scanner: Scanner;
  readonly targets: readonly PinnedTarget[];
  readonly notes: readonly string[];
  readonly raw: Artefact;
}

async function ingest(
  deps: WorkerDeps,
  { scan, epoch }: Claim,
  { scanner, targets, notes, raw }: Ingest,
): Promise<Ingested> {
  const folder = await deps.files.attemptFolder(scan.scanId, epoch);
  const report = createReadStream(deps.files.pathOf(scan.scanId, raw));
  try {
    const ingested = await deps.findings.ingest({
      scanId: scan.scanId,
      epoch,
      engine: scan.engine,
      folder,
      targets,
      notLookedFor: notes,
      events: scanner.parse(report),
    });
    return { ...ingested, artefact: { ...ingested.artefact, path: `${epoch}/${ingested.artefact.path}` } };
  } finally {
    report.destroy();
  }
}

function resultOf(ingested: Ingested, raw: Artefact, report: RawReport | undefined): ScanResult {
  const { coverage: seen, readError, ended } = ingested;
  const coverage =
    report?.reason === undefined ? seen : { ...seen, not_looked_for: [...seen.not_looked_for, report.reason] };
  return {
    verdict: verdictOf(coverage, report?.whole === true && ended && readError === undefined),
    coverage,
    findings: ingested.findings,
    by_severity: ingested.bySeverity,
    artefacts: [raw, ingested.artefact],
  };
}
