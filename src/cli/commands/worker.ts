import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../../app.ts';
import { AppError } from '../../model/errors.ts';
import type { Log } from '../../platform/log.ts';
import { exitCode } from '../exit-codes.ts';
import { openPatiently } from '../open-patiently.ts';
import { serverLog } from '../server-log.ts';
import type { Session } from '../session.ts';
import { onStopSignals } from '../stop-signals.ts';

export interface WorkerCommand {
  readonly stay?: boolean;
  readonly pools?: readonly string[] | undefined;
  readonly concurrency?: number | undefined;
}

/**
 * `scanmux worker`: runs queued scans until there is nothing to do. The first SIGTERM or SIGINT lets running scans
 * finish within the grace time, the second one ends the process at once; the queue gives its scans to the next worker.
 * @throws AppError pool_unknown, naming the pools there are; invalid_request
 */
export async function worker({ env, folders }: Session, { stay, pools, concurrency }: WorkerCommand): Promise<number> {
  const { config, data } = folders();
  const log = serverLog(config, env, 'worker');
  const stop = new AbortController();
  const off = onStopSignals((signal, count) => {
    if (count > 1) process.exit(exitCode('ok'));
    log.info({ signal }, 'finishing; a second signal ends at once');
    stop.abort();
  });
  const app = await openPatiently(
    { configFolder: config, dataFolder: data, mode: 'stdio', log, env, spawnWorker: false },
    stop.signal,
  );
  if (!app) return exitCode('ok');
  try {
    checkOptions(app, { pools, concurrency });
    log.info({ data_folder: data, ...(pools ? { pools } : {}) }, 'worker started');
    const wanted = { ...(pools ? { pools } : {}), ...(concurrency === undefined ? {} : { concurrency }) };
    const run = (): Promise<boolean> => app.runWorker(stop.signal, { leaveWhenIdle: stay !== true, ...wanted });
    const isOurs = stay === true ? await inTurn(run, stop.signal, log) : await run();
    log.info({}, isOurs ? 'worker ended' : 'another worker serves this data folder; nothing to do');
    return exitCode('ok');
  } finally {
    off();
    await app.close();
  }
}

/** How often a worker that stays asks for its place while another process has it. */
const PLACE_RETRY_MS = 1_000;

/** A worker that a command started may have the place, and leaves it when it is idle: who stays waits for that. */
async function inTurn(run: () => Promise<boolean>, signal: AbortSignal, log: Log): Promise<boolean> {
  for (let isTold = false; ; isTold = true) {
    const wasOurs = await run();
    if (signal.aborted) return true;
    if (!wasOurs && !isTold) log.info({}, 'another worker serves this data folder; this one waits for its place');
    await delay(PLACE_RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** More than this would not be served faster; the bound of `worker.max_concurrent_scans`. */
const MOST_AT_ONCE = 256;

function checkOptions({ registry }: App, { pools, concurrency }: Pick<WorkerCommand, 'pools' | 'concurrency'>): void {
  for (const name of pools ?? []) registry.pool(name);
  if (pools?.length === 0) {
    throw new AppError('invalid_request', '--pools names no pool.', {
      hint: 'Name one, or leave --pools out for all.',
    });
  }
  if (concurrency !== undefined && (concurrency < 1 || concurrency > MOST_AT_ONCE)) {
    throw new AppError('invalid_request', `--concurrency must be from 1 to ${MOST_AT_ONCE}.`);
  }
}
