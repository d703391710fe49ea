import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';

/** A worker that was started but has not taken its seat yet is given this long before another is started. */
const START_PATIENCE_MS = 10_000;
/** How often a server looks whether unfinished scans still have somebody to run them. */
const LOOK_EVERY_MS = 2_000;

export interface LauncherDeps {
  /** Identity of the working holder of the seat; undefined when nobody works. */
  readonly holder: () => Promise<string | undefined>;
  readonly liveCount: () => Promise<number>;
  /** Starts a worker process that outlives this one; resolves to its pid. */
  readonly start: () => Promise<number>;
  readonly isRunning: (pid: number) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

export interface WorkerLauncher {
  /** Makes sure a worker is there or on its way. Returns at once. */
  readonly wake: () => void;
  /** Resolves when a worker that was asked for has been started. */
  readonly close: () => Promise<void>;
}

/**
 * Keeps one worker process for a data folder while there is work: started at the first submit, and again when it was
 * killed. Several servers may do this at once: whoever comes second finds the seat taken and goes.
 */
export function createWorkerLauncher(deps: LauncherDeps): WorkerLauncher {
  const { holder, liveCount, start, isRunning, clock, log } = deps;
  let last: { readonly pid: number; readonly at: number } | undefined;
  let checking: Promise<void> | undefined;
  let again = false;

  const check = async (): Promise<void> => {
    if ((await holder()) !== undefined) {
      last = undefined; // It has arrived; if it is gone the next time, it is gone.
      return;
    }
    if (last && isRunning(last.pid) && clock.monotonic() - last.at < START_PATIENCE_MS) return;
    const pid = await start();
    last = { pid, at: clock.monotonic() };
    log.info({ worker_pid: pid }, 'worker started');
  };
  const run = (body: () => Promise<void>): void => {
    if (checking) {
      again = true;
      return;
    }
    checking = body()
      .catch((error: unknown) => log.error({ err: error }, 'worker could not be started'))
      .finally(() => {
        checking = undefined;
        if (!again) return;
        again = false;
        run(check);
      });
  };
  const timer = setInterval(() => {
    run(async () => {
      if ((await liveCount()) > 0) await check();
    });
  }, LOOK_EVERY_MS);
  timer.unref();
  return {
    wake: () => run(check),
    async close() {
      clearInterval(timer);
      while (checking) await checking;
    },
  };
}
