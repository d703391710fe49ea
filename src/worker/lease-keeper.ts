import type { Log } from '../platform/log.ts';
import type { Claim, ScanQueue } from '../queue/queue.ts';
import type { StopButton } from './stop.ts';

/** How often a running attempt asks whether it is still its own and still wanted. Bounds how late a cancel arrives. */
const ASK_EVERY_MS = 500;
/** This many failures in a row to reach the queue end the attempt: somebody else may own it by now. */
const MAX_FAILURES = 40;

/** Keeps one claim alive and presses the stop button when it is lost or cancelled. Returns the way to stop. */
export function keepLease(queue: ScanQueue, claim: Claim, button: StopButton, log: Log): () => void {
  let failures = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const ask = async (): Promise<void> => {
    try {
      const { owned, cancel } = await queue.renew(claim);
      failures = 0;
      if (!owned) button.press('lease_lost');
      else if (cancel) button.press('cancelled');
    } catch (error) {
      failures += 1;
      log.warn({ err: error, scan_id: claim.scan.scanId, failures }, 'lease could not be renewed');
      if (failures >= MAX_FAILURES) button.press('lease_lost');
    }
    if (!stopped) timer = setTimeout(() => void ask(), ASK_EVERY_MS);
  };
  void ask();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
