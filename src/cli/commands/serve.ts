import { once } from 'node:events';
import type { App } from '../../app.ts';
import type { HttpSettings } from '../../config/settings-http.ts';
import { loadSettings, type Settings } from '../../config/settings.ts';
import { AppError } from '../../model/errors.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { anonymousOnLoopback, checkExposure, isLoopback } from '../../http/exposure.ts';
import { openDoor, type Door } from '../../http/door.ts';
import { createDownloadUrl } from '../../http/rest/downloads.ts';
import { serve, type RunningServer } from '../../http/serve.ts';
import { createWaitingApp } from '../../http/waiting-app.ts';
import { createMcpServer } from '../../tools/server.ts';
import { exitCode } from '../exit-codes.ts';
import { openPatiently } from '../open-patiently.ts';
import { serverLog } from '../server-log.ts';
import { openServeParts } from '../serve-parts.ts';
import type { Session } from '../session.ts';
import { onStopSignals } from '../stop-signals.ts';
import { aroundCalls } from '../trace-calls.ts';
import { VERSION } from '../version.ts';
import { workHere } from '../work-here.ts';

export interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  /** False with --no-worker. */
  readonly worker: boolean;
}

/**
 * `scanmux serve`: until the first SIGTERM or SIGINT, which lets requests in flight be answered within the grace time; a
 * second one ends the process at once. Where the queue is in Redis it listens before that is there, so that whoever
 * watches the process sees it alive and not ready.
 */
export async function serveHttp(session: Session, options: ServeOptions): Promise<number> {
  const { env, folders, terminal } = session;
  const { config, data } = folders();
  const log = serverLog(config, env, 'serve');
  const settings = loadSettings({ configFolder: config, env });
  const http = httpSettings(settings, options);
  const stop = untilStopped(log);
  const spawnWorker = options.worker && !settings.worker.in_process;
  const door = settings.redis.url === undefined ? undefined : await openWaitingDoor(http, log, stop);
  const tell = onlyOnce((url: string) => terminal.out(`scanmux ${VERSION} listens on ${url} (MCP at ${url}/mcp)`));
  try {
    const app = await openPatiently(
      { configFolder: config, dataFolder: data, mode: 'serve', log, env, spawnWorker },
      stop,
      () => door && tell(door.url),
    );
    if (app) await serveApp({ app, http, log, stop, door, note: (line) => terminal.note(line), tell }, options);
  } finally {
    await door?.drained(0);
    door?.cut();
  }
  return exitCode('ok');
}

interface Serving {
  readonly app: App;
  readonly http: HttpSettings;
  readonly log: Log;
  readonly stop: AbortSignal;
  readonly door: Door | undefined;
  readonly note: (line: string) => void;
  readonly tell: (url: string) => void;
}

/** Serves until `stop`, then closes the app. */
async function serveApp(serving: Serving, options: ServeOptions): Promise<void> {
  const { app, log, stop, tell } = serving;
  // With a shared queue nobody starts a worker process: the server runs scans itself.
  const runsHere = options.worker && (app.settings.worker.in_process || app.redis !== undefined);
  const stopWork = new AbortController();
  const work = runsHere ? workHere(app, stopWork.signal, log) : Promise.resolve();
  try {
    const server = await startServer(serving);
    tell(server.url);
    if (!stop.aborted) await once(stop, 'abort');
    stopWork.abort();
    await server.stop();
  } finally {
    stopWork.abort();
    await work;
    await app.close();
  }
}

const openWaitingDoor = (http: HttpSettings, log: Log, closing: AbortSignal): Promise<Door> =>
  openDoor(http, createWaitingApp({ log, closing }, http));

function onlyOnce(tell: (url: string) => void): (url: string) => void {
  let isTold = false;
  return (url) => {
    if (!isTold) tell(url);
    isTold = true;
  };
}

/** @throws AppError invalid_request for a port that is none */
function httpSettings({ http }: Settings, { host = http.host, port = http.port }: ServeOptions): HttpSettings {
  if (port > 65_535) throw new AppError('invalid_request', '--port must be at most 65535.');
  return { ...http, host, port };
}

/** @throws AppError config_invalid when others could reach it and it would know nobody */
async function startServer({ app, http: settings, log, note, door }: Serving): Promise<RunningServer> {
  const closing = new AbortController();
  const { authenticator, knowsCallers, partsOf, downloads } = await openServeParts(app, settings, log);
  const allowAnonymous = settings.allow_anonymous_loopback;
  checkExposure({ host: settings.host, knowsCallers, allowAnonymous, publicUrl: settings.public_url });
  if (!isLoopback(settings.host) && settings.public_url === '') {
    log.warn(
      { host: settings.host },
      'keys travel in clear text: put a proxy with TLS before it, and set http.public_url',
    );
  }
  if (!knowsCallers && !allowAnonymous) {
    note('Nobody has a key yet: make one with `scanmux keys create`, or set http.allow_anonymous_loopback.');
  }
  const known = allowAnonymous ? anonymousOnLoopback(authenticator) : authenticator;
  let baseUrl = settings.public_url;
  const downloadUrl = createDownloadUrl(downloads, () => baseUrl);
  const shell = { authenticator: known, log, clock: systemClock, closing };
  const server = await serve(
    {
      ...shell,
      makeServer: (askerOf) =>
        createMcpServer({
          version: VERSION,
          open: () => Promise.resolve(app.scans),
          askerOf,
          around: aroundCalls(() => Promise.resolve(app.tracing)),
          downloadUrl,
          onDefect: (error, facts) => log.error({ err: error, ...facts }, 'defect in a tool'),
        }),
    },
    settings,
    partsOf({ ...shell, closing: closing.signal }),
    door,
  );
  if (baseUrl === '') baseUrl = server.url;
  return server;
}

/** Aborted by the first signal to stop. */
function untilStopped(log: Log): AbortSignal {
  const stop = new AbortController();
  onStopSignals((signal, count) => {
    if (count > 1) process.exit(exitCode('ok'));
    log.info({ signal }, 'finishing; a second signal ends at once');
    stop.abort();
  });
  return stop.signal;
}
