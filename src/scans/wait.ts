import type { Status, Waited, WaitInput } from '../model/contract/status.ts';
import { isFinal, type Progress, type ScanRecord } from '../model/scan.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { findScan } from './find-scan.ts';
import { statusNow } from './status.ts';
import type { CountFindings } from './tally.ts';

type Deps = Pick<ScanDeps, 'queue' | 'registry' | 'clock'> & { readonly countFindings: CountFindings };

/** Told of each change while waiting, for MCP progress notifications. */
export type OnProgress = (progress: Progress) => void;

export type WaitForScan = (input: WaitInput, ask: Ask, onProgress?: OnProgress) => Promise<Waited>;

/**
 * Returns when the scan ends or the time is up; the scan goes on either way.
 * @throws AppError scan_not_found, queue_unavailable
 */
export function createWaitForScan(deps: Deps): WaitForScan {
  return async ({ scan_id: scanId, wait_seconds: seconds }, ask, onProgress) => {
    const timeUp = AbortSignal.timeout(seconds * 1000);
    const over = new AbortController();
    const end = (): void => over.abort();
    // Not one more of `AbortSignal.any`: it would hang on the server's signal for as long as that lives.
    ask.closing?.addEventListener('abort', end);
    if (ask.closing?.aborted) end();
    const signal = AbortSignal.any([timeUp, ask.signal, over.signal]);
    const scan = await untilFinal(deps, scanId, ask, signal, onProgress).finally(() =>
      ask.closing?.removeEventListener('abort', end),
    );
    const status = await statusNow(deps, scan);
    return isFinal(scan.state) ? { ...status, wait_timed_out: false } : unfinished(status);
  };
}

async function untilFinal(
  { queue }: Deps,
  scanId: string,
  { caller }: Ask,
  signal: AbortSignal,
  onProgress: OnProgress | undefined,
): Promise<ScanRecord> {
  let scan = await findScan(queue, caller.tenant, scanId);
  let seen = 0;
  while (!isFinal(scan.state) && !signal.aborted) {
    const events = await queue.events(caller.tenant, scanId, seen);
    seen = events.at(-1)?.seq ?? seen;
    const news = events.at(-1)?.progress;
    if (news) onProgress?.(news);
    scan = await findScan(queue, caller.tenant, scanId);
    if (isFinal(scan.state)) return scan;
    await queue.waitForEvent(caller.tenant, scanId, seen, signal);
  }
  return signal.aborted ? findScan(queue, caller.tenant, scanId) : scan;
}

function unfinished({ summary, scan_id, state, waiting_for, progress, poll_after_seconds }: Status): Waited {
  return {
    summary,
    scan_id,
    state,
    waiting_for,
    ...(progress === undefined ? {} : { progress }),
    ...(poll_after_seconds === undefined ? {} : { poll_after_seconds }),
    wait_timed_out: true,
  };
}
