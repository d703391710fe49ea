import { createReadStream } from 'node:fs';
import { Writable } from 'node:stream';
import { AppError, errorFacts, type ErrorCode } from '../model/errors.ts';
import { verdictOf } from '../model/coverage.ts';
import { secretsOf, type Credential } from '../model/credential.ts';
import type { Artefact, ScanRequest, ScanResult } from '../model/scan.ts';
import type { PinnedTarget } from '../model/target.ts';
import type { Ingested } from '../findings/findings.ts';
import type { StoredReport } from '../findings/artefacts.ts';
import type { Claim, Outcome } from '../queue/queue.ts';
import { REPORT_CHUNK_BYTES } from '../scanners/report-format.ts';
import type { RawReport, Scanner } from '../scanners/scanner.ts';
import { admitAgain, type Admitted } from './admit-again.ts';
import type { WorkerDeps } from './deps.ts';
import { useCredential } from './credential.ts';
import { drive, type Ended } from './drive.ts';
import { finishSurely } from './finish.ts';
import { keepLease } from './lease-keeper.ts';
import { failureOutcome } from './outcome.ts';
import { shareSurely } from './share.ts';
import { createShield, type Shield } from './shield.ts';
import { createStopButton, type StopButton, type StopCause } from './stop.ts';
import { tracedAttempt, tracedIngest, tracedRun } from './trace-attempt.ts';

/**
 * Runs one claim to its end and writes the outcome. Never rejects: every way to fail is an outcome.
 * @param shutdown Aborts when the worker must go.
 * @returns the outcome's kind, or `lost` when the claim had passed to another.
 */
export const runAttempt = (deps: WorkerDeps, claim: Claim, shutdown: AbortSignal): Promise<Outcome['kind'] | 'lost'> =>
  tracedAttempt(deps, claim, () => runToItsEnd(deps, claim, shutdown));

async function runToItsEnd(given: WorkerDeps, claim: Claim, shutdown: AbortSignal): Promise<Outcome['kind'] | 'lost'> {
  const shield = createShield();
  const about = { scan_id: claim.scan.scanId, trace_id: claim.scan.traceId, epoch: claim.epoch };
  const log = shield.log(given.log.child(about));
  const deps = { ...given, log };
  const button = createStopButton();
  const onShutdown = (): void => button.press('shutdown');
  shutdown.addEventListener('abort', onShutdown, { once: true });
  if (shutdown.aborted) onShutdown();
  const release = keepLease(deps.queue, claim, button, log);
  try {
    log.info({ pool: claim.scan.request.pool, instance: claim.instance }, 'attempt starts');
    noteTakeover(claim, log);
    const made = await attempt(deps, claim, button, shield).catch((error: unknown) => {
      log.error({ err: error }, 'attempt failed');
      return failureOutcome(deps, claim, button.cause(), shield.error(error), undefined);
    });
    // The queue may only have been away for long: then the scan is still ours, and nobody else would take it.
    const outcome =
      made === 'lost' ? ({ kind: 'released' } as const) : await shareSurely(deps, claim, made, { button, shutdown });
    const written = await finishSurely(deps, claim, outcome, shutdown);
    log.info({ outcome: outcome.kind, written }, 'attempt ended');
    await deps
      .indexScans?.(claim.scan.tenant)
      .catch((error: unknown) => log.warn({ err: error }, 'scan could not be indexed yet'));
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

/** The worker of the earlier attempt was lost, or gave the scan back. */
function noteTakeover({ checkpoint }: Claim, log: WorkerDeps['log']): void {
  if (!checkpoint) return;
  const { epoch, instance, phase } = checkpoint;
  const earlier = { earlier_epoch: epoch, earlier_instance: instance, phase };
  log.info(earlier, 'attempt takes over a scan that an earlier one began');
}

async function attempt(deps: WorkerDeps, claim: Claim, button: StopButton, shield: Shield): Promise<Outcome | 'lost'> {
  const { scan, epoch } = claim;
  const scanner = scannerOf(deps, claim);
  // A reload took the instance away between the claim and now: another one may have the scan.
  if (!scanner) return { kind: 'released' };
  const { targets, notes, refusal, credential } = await admit(deps, claim, button);
  const secrets = credential ? secretsOf(credential) : [];
  shield.protect(secrets);
  const sink = await deps.files.openReport(scan.scanId, epoch, deps.settings.maxRawReportBytes, secrets);
  // Where a login may have been given before and is not known now, nothing could be masked: nothing is kept.
  const isBlind = scan.request.access === 'authenticated' && !credential;
  const report = isBlind ? nowhere() : sink.writable;
  const run = { scanner, targets, report, credential, shield };
  const ended = await tracedRun(deps, claim, () => drive(deps, claim, button, run));
  const cause = button.cause();
  const stored = await sink.close().catch((error: unknown) => ({ failure: error }));
  if (cause === 'lease_lost') return 'lost';
  // What came to its whole end all the same is kept.
  if (cause === 'shutdown' && ended.report?.whole !== true) return { kind: 'released' };
  deps.registry.reportOutcome(scan.request.pool, claim.instance, cause !== undefined || !isInstanceFault(ended.error));
  if ('failure' in stored) return failureOutcome(deps, claim, cause, stored.failure, undefined);
  if (!(await mayRead(deps, claim))) return 'lost';
  const read = { scanner, targets, notes, raw: stored.artefact, shield };
  const reported = await tracedIngest(deps, () => ingest(deps, claim, read));
  return conclude(deps, claim, cause, { ended, stored, reported, refusal });
}

/** Nothing that was scanned is thrown away because this could not be noted. */
async function mayRead({ queue, log }: WorkerDeps, claim: Claim): Promise<boolean> {
  try {
    return await queue.reading(claim);
  } catch (error) {
    log.warn({ err: error }, 'reading of the report could not be noted');
    return true;
  }
}

interface Ending {
  readonly ended: Ended;
  readonly stored: StoredReport;
  readonly reported: Ingested;
  readonly refusal: unknown;
}

/** The first thing that went wrong decides; what was found is kept whatever it was. */
function conclude(
  deps: WorkerDeps,
  claim: Claim,
  cause: StopCause | undefined,
  { ended, stored, reported, refusal }: Ending,
): Outcome {
  const result = resultOf(claim.scan.request, reported, stored.artefact, ended.report);
  const overflow = stored.cutOff
    ? new AppError('report_unreadable', 'The raw report is larger than max_raw_report_mb and was cut off.')
    : undefined;
  const error = refusal ?? overflow ?? ended.error ?? reported.readError;
  if (error !== undefined || wasCut(cause, ended)) return failureOutcome(deps, claim, cause, error, result);
  return cause === 'cancelled' ? { kind: 'cancelled', result } : { kind: 'completed', result };
}

/**
 * What may be scanned now. A scan that an earlier worker has already started outside is not simply refused: its engine
 * is called with the stop button pressed, so that it ends what runs there.
 */
async function admit(deps: WorkerDeps, claim: Claim, button: StopButton): Promise<Entry> {
  try {
    const { targets, checked, notes } = await admitAgain(deps, claim.scan);
    // Also whoever only ends what runs outside needs it: what the engine hands over then is kept, and must be masked.
    const patience = claim.checkpoint ? NEVER : button.signal;
    return { targets, notes, credential: await useCredential(deps, claim, checked, patience) };
  } catch (error) {
    if (!claim.checkpoint) button.signal.throwIfAborted();
    const { scanId, tenant, traceId, request } = claim.scan;
    const { credential_ref: ref } = request;
    const decision = `${errorFacts(error).code} at run time`;
    const caller = { tenant, name: 'worker' };
    const detail = ref === undefined ? {} : { detail: { credential_ref: ref } };
    await deps.audit({ caller, action: 'refuse', decision, scanId, traceId, targets: request.targets, ...detail });
    if (!claim.checkpoint) throw error;
    button.press('denied');
    return { targets: [], notes: [], refusal: error };
  }
}

/** What an attempt starts with. */
interface Entry extends Pick<Admitted, 'targets' | 'notes'> {
  readonly credential?: Credential | undefined;
  readonly refusal?: unknown;
}

/** Each source of a secret has its own time limit. */
const NEVER = new AbortController().signal;

const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

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

interface Ingest {
  readonly scanner: Scanner;
  readonly targets: readonly PinnedTarget[];
  readonly notes: readonly string[];
  readonly raw: Artefact;
  readonly shield: Shield;
}

async function ingest(
  deps: WorkerDeps,
  { scan, epoch }: Claim,
  { scanner, targets, notes, raw, shield }: Ingest,
): Promise<Ingested> {
  const folder = await deps.files.attemptFolder(scan.scanId, epoch);
  const report = createReadStream(deps.files.pathOf(scan.scanId, raw), { highWaterMark: REPORT_CHUNK_BYTES });
  try {
    const ingested = await deps.findings.ingest({
      scanId: scan.scanId,
      epoch,
      engine: scan.engine,
      folder,
      targets,
      notLookedFor: notes,
      events: shield.events(scanner.parse(report, { login: scan.request.access === 'authenticated' })),
    });
    return { ...ingested, artefact: { ...ingested.artefact, path: `${epoch}/${ingested.artefact.path}` } };
  } finally {
    report.destroy();
  }
}

function resultOf(
  { access }: ScanRequest,
  ingested: Ingested,
  raw: Artefact,
  report: RawReport | undefined,
): ScanResult {
  const { coverage: seen, authentication, loginProblems, readError, ended } = ingested;
  const coverage =
    report?.reason === undefined ? seen : { ...seen, not_looked_for: [...seen.not_looked_for, report.reason] };
  const endedWhole = report?.whole === true && ended && readError === undefined;
  // A host that was tested and says nothing of a login was not looked at as asked either.
  const isAsAsked = access === 'untrusted' || (authentication?.success ?? 0) >= coverage.tested;
  return {
    verdict: verdictOf(coverage, endedWhole && isAsAsked),
    ended_whole: endedWhole,
    coverage,
    ...(authentication ? { authentication } : {}),
    ...(loginProblems ? { login_problems: loginProblems } : {}),
    ...leftBehindOf(report),
    findings: ingested.findings,
    by_severity: ingested.bySeverity,
    artefacts: [raw, ingested.artefact],
  };
}

const leftBehindOf = (report: RawReport | undefined): Pick<ScanResult, 'left_behind'> =>
  report?.leftBehind === undefined ? {} : { left_behind: report.leftBehind };
