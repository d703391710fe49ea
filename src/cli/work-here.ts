import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../app.ts';
import type { Log } from '../platform/log.ts';

/** How often a server that runs scans itself asks for the worker's seat while another process holds it. */
const SEAT_RETRY_MS = 2_000;

/** Runs scans in this process until `signal` aborts, whatever goes wrong meanwhile. */
export async function workHere(app: Pick<App, 'runWorker'>, signal: AbortSignal, log: Log): Promise<void> {
  while (!signal.aborted) {
    try {
      await app.runWorker(signal, { leaveWhenIdle: false });
    } catch (error) {
      log.error({ err: error }, 'worker stopped; starting it again');
    }
    await delay(SEAT_RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}
