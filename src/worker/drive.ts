import type { Writable } from 'node:stream';
import type { Credential } from '../model/credential.ts';
import type { PinnedTarget } from '../model/target.ts';
import type { Claim } from '../queue/queue.ts';
import type { RawReport, RunContext, Scanner, ScanJob } from '../scanners/scanner.ts';
import type { WorkerDeps } from './deps.ts';
import { checkpointSurely } from './finish.ts';
import { createLifeSign, givenUp } from './give-up.ts';
import { createProgressWriter } from './progress-writer.ts';
import type { Shield } from './shield.ts';
import { StopRequest, type StopButton } from './stop.ts';

/** How an engine's run ended: by itself, or by throwing. */
export type Ended =
  | { readonly report: RawReport; readonly error?: undefined }
  | { readonly error: unknown; readonly report?: undefined };

interface Run {
  readonly scanner: Scanner;
  readonly targets: readonly PinnedTarget[];
  readonly report: Writable;
  /** Lives in this run and nowhere else. */
  readonly credential: Credential | undefined;
  readonly shield: Shield;
}

/**
 * The limit is the scan's, not the attempt's: what earlier attempts used is gone. By the wall clock, because they ran in
 * other processes; a clock set back gives no extra time beyond one whole limit.
 */
function timeLeftMs({ clock, settings }: WorkerDeps, { scan }: Claim): number {
  const limitMs = scan.request.max_duration_minutes * settings.minuteMs;
  const usedMs = clock.now() - (scan.startedAt ?? clock.now());
  return limitMs - Math.min(Math.max(usedMs, 0), limitMs);
}

/** Lets the engine run under its time limit: first asked to stop, then given up on. */
export async function drive(
  deps: WorkerDeps,
  claim: Claim,
  button: StopButton,
  { scanner, targets, report, credential, shield }: Run,
): Promise<Ended> {
  const { scan, epoch } = claim;
  const hostsTotal = targets.reduce((sum, { target }) => sum + (target.kind === 'network' ? target.size : 1), 0);
  let remoteId: string | undefined;
  const progress = createProgressWriter({
    clock: deps.clock,
    log: deps.log,
    hostsTotal,
    write: (now) => deps.queue.progress(claim, now, remoteId),
  });
  const alive = createLifeSign(deps.clock);
  const job: ScanJob = { scanId: scan.scanId, traceId: scan.traceId, epoch, request: scan.request, targets };
  const context: RunContext = {
    signal: button.signal,
    report,
    previous: claim.checkpoint,
    ...(credential ? { credential } : {}),
    progress(made) {
      alive.note();
      remoteId = made.remoteId ?? remoteId;
      progress.report({ ...made, phase: shield.text(made.phase) });
    },
    async checkpoint(made) {
      if (await checkpointSurely(deps, claim, made, button.signal)) return;
      button.press('lease_lost');
      throw new StopRequest('lease_lost');
    },
  };
  // An engine that waits until a destroyed report drains would wait for ever.
  report.once('error', () => button.press('report_failed'));
  const limit = setTimeout(() => button.press('timed_out'), timeLeftMs(deps, claim));
  const over = new AbortController();
  try {
    // A scan that already runs outside is handed to its engine even when it is to end: only the engine can end it.
    if (!claim.checkpoint) button.signal.throwIfAborted();
    const running = scanner.run(job, context).then(
      (report): Ended => ({ report: shownReport(report, shield) }),
      (error: unknown): Ended => ({ error: shield.error(error ?? new Error('engine threw nothing')) }),
    );
    return await Promise.race([running, givenUp(button.signal, deps.settings.hardStopMs, alive, over.signal)]);
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(limit);
    over.abort();
    await progress.close();
  }
}

const shownReport = ({ whole, reason, leftBehind }: RawReport, shield: Shield): RawReport => ({
  whole,
  ...(reason === undefined ? {} : { reason: shield.text(reason) }),
  ...(leftBehind === undefined ? {} : { leftBehind: shield.text(leftBehind) }),
});
