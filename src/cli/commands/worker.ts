import { exitCode } from '../exit-codes.ts';
import { openPatiently } from '../open-patiently.ts';
import { serverLog } from '../server-log.ts';
import type { Session } from '../session.ts';
import { onStopSignals } from '../stop-signals.ts';

/**
 * `scanmux worker`: runs queued scans until there is nothing to do. The first SIGTERM or SIGINT lets running scans
 * finish within the grace time, the second one ends the process at once; the queue gives its scans to the next worker.
 */
export async function worker({ env, folders }: Session, { stay }: { stay?: boolean }): Promise<number> {
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
    log.info({ data_folder: data }, 'worker started');
    const isOurs = await app.runWorker(stop.signal, { leaveWhenIdle: stay !== true });
    log.info({}, isOurs ? 'worker ended' : 'another worker serves this data folder; nothing to do');
    return exitCode('ok');
  } finally {
    off();
    await app.close();
  }
}
