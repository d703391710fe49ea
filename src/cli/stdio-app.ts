import { openApp } from '../app.ts';
import type { Environment } from '../config/environment.ts';
import { loadSettings } from '../config/settings.ts';
import type { Log } from '../platform/log.ts';
import type { UseCases } from '../scans/use-cases.ts';
import { serverLog } from './server-log.ts';
import { foldersOf } from './session.ts';
import type { StdioFlags } from './stdio-flags.ts';
import { workHere } from './work-here.ts';

/** The application behind one stdio server. */
export interface StdioApp {
  readonly scans: UseCases;
  readonly log: Log;
  /** True when scans run in this process. */
  readonly isWorker: boolean;
  /** Lets scans that run in this process finish within the grace time, then closes everything. */
  close(): Promise<void>;
}

/** @throws AppError config_invalid, storage_unusable, data_too_new, queue_unavailable */
export async function openStdioApp({ globals, inProcess }: StdioFlags, env: Environment): Promise<StdioApp> {
  const { config, data } = foldersOf(globals, env);
  const log = serverLog(config, env, 'stdio');
  const isWorker = inProcess || loadSettings({ configFolder: config, env }).worker.in_process;
  const app = await openApp({
    configFolder: config,
    dataFolder: data,
    mode: 'stdio',
    log,
    env,
    spawnWorker: !isWorker,
  });
  const stop = new AbortController();
  const work = isWorker ? workHere(app, stop.signal, log) : Promise.resolve();
  return {
    scans: app.scans,
    log,
    isWorker,
    async close() {
      stop.abort();
      await work;
      await app.close();
    },
  };
}
