import { openApp, type App } from '../../app.ts';
import type { HttpSettings } from '../../config/settings-http.ts';
import { loadSettings, type Settings } from '../../config/settings.ts';
import { AppError } from '../../model/errors.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { anonymousOnLoopback, checkExposure, isLoopback } from '../../http/exposure.ts';
import { createDownloadUrl } from '../../http/rest/downloads.ts';
import { serve, type RunningServer } from '../../http/serve.ts';
import { createMcpServer } from '../../tools/server.ts';
import { exitCode } from '../exit-codes.ts';
import { serverLog } from '../server-log.ts';
import { openServeParts } from '../serve-parts.ts';
import type { Session } from '../session.ts';
import { onStopSignals } from '../stop-signals.ts';
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
 * second one ends the process at once.
 */
export async function serveHttp(session: Session, options: ServeOptions): Promise<number> {
  const { env, folders, terminal } = session;
  const { config, data } = folders();
  const log = serverLog(config, env, 'serve');
  const settings = loadSettings({ configFolder: config, env });
  const http = httpSettings(settings, options);
  const runsHere = options.worker && settings.worker.in_process;
  const spawnWorker = options.worker && !runsHere;
  const stopped = untilStopped(log);
  const app = await openApp({ configFolder: config, dataFolder: data, mode: 'serve', log, env, spawnWorker });
  const stopWork = new AbortController();
  const work = runsHere ? workHere(app, stopWork.signal, log) : Promise.resolve();
  try {
    const server = await startServer(app, http, log, (line) => terminal.note(line));
    terminal.out(`scanmux ${VERSION} listens on ${server.url} (MCP at ${server.url}/mcp)`);
    await stopped;
    stopWork.abort();
    await server.stop();
  } finally {
    stopWork.abort();
    await work;
    await app.close();
  }
  return exitCode('ok');
}

/** @throws AppError invalid_request for a port that is none */
function httpSettings({ http }: Settings, { host = http.host, port = http.port }: ServeOptions): HttpSettings {
  if (port > 65_535) throw new AppError('invalid_request', '--port must be at most 65535.');
  return { ...http, host, port };
}

/** @throws AppError config_invalid when others could reach it and it would know nobody */
async function startServer(
  app: App,
  settings: HttpSettings,
  log: Log,
  note: (line: string) => void,
): Promise<RunningServer> {
  const closing = new AbortController();
  const { authenticator, knowsCallers, partsOf, downloads } = await openServeParts(app, settings, log);
  const allowAnonymous = settings.allow_anonymous_loopback;
  checkExposure({ host: settings.host, knowsCallers, allowAnonymous });
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
          downloadUrl,
          onDefect: (error, facts) => log.error({ err: error, ...facts }, 'defect in a tool'),
        }),
    },
    settings,
    partsOf({ ...shell, closing: closing.signal }),
  );
  if (baseUrl === '') baseUrl = server.url;
  return server;
}

function untilStopped(log: Log): Promise<void> {
  return new Promise((resolve) => {
    onStopSignals((signal, count) => {
      if (count > 1) process.exit(exitCode('ok'));
      log.info({ signal }, 'finishing; a second signal ends at once');
      resolve();
    });
  });
}
