import { onTestFinished } from 'vitest';
import type { App, AppOptions } from '../../src/app.ts';
import type { HttpDeps } from '../../src/http/deps.ts';
import { createDownloadRouter } from '../../src/http/rest/download-router.ts';
import { createDownloads, type Downloads } from '../../src/http/rest/downloads.ts';
import { createRestRouter, type RestOptions } from '../../src/http/rest/rest-router.ts';
import type { Caller } from '../../src/model/caller.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createLog } from '../../src/platform/log.ts';
import type { ApiKeys } from '../../src/queue/api-keys.ts';
import type { QueueOperations } from '../../src/queue/operations.ts';
import { wire } from '../tools/wire.ts';
import { authenticatorOf, callerNamed } from './fixed-authenticator.ts';
import { startHttp } from './start-http.ts';

/** What no REST route may need. */
const none = <T extends object>(): T =>
  new Proxy(Object.create(null), {
    get: (_target, name) => {
      throw new Error(`asked for ${String(name)}`);
    },
  });

export const CALLERS: Readonly<Record<string, Caller>> = {
  ours: callerNamed('key:ours'),
  theirs: callerNamed('key:theirs', { tenant: 'others' }),
  reader: callerNamed('key:reader', { scopes: new Set(['scan:run']) }),
};

export interface RestServer {
  readonly app: App;
  readonly data: string;
  readonly url: string;
  readonly port: number;
  readonly closing: AbortController;
  readonly downloads: Downloads;
  /** As `ours`, with this path after `/api`. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

interface Options extends RestOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly over?: Partial<AppOptions>;
  readonly deps?: Partial<HttpDeps>;
}

export const restDeps = ({ scans, queue }: Pick<App, 'scans' | 'queue'>, more: Partial<HttpDeps> = {}): HttpDeps => ({
  version: '0.0.0',
  scans,
  queue,
  operations: none<QueueOperations>(),
  keys: none<ApiKeys>(),
  authenticator: authenticatorOf(CALLERS),
  clock: systemClock,
  log: createLog('silent'),
  closing: new AbortController().signal,
  ...more,
});

/** The REST routes over an application of their own, on loopback. */
export async function startRest({ files, over, deps: more, ...rest }: Options = {}): Promise<RestServer> {
  const { app, data } = await wire(files, over);
  const closing = new AbortController();
  const deps = restDeps(app, { closing: closing.signal, ...more });
  const downloads = createDownloads({ secrets: app.secrets, clock: deps.clock });
  const open = [createDownloadRouter({ scans: deps.scans, downloads })];
  const server = await startHttp(deps, { open, rest: createRestRouter(deps, rest) });
  const { url, port } = server;
  onTestFinished(() => server.close());
  const headers = { authorization: 'Bearer ours' };
  return {
    app,
    data,
    url,
    port,
    closing,
    downloads,
    get: (path, extra = {}) => fetch(`${url}/api${path}`, { headers: { ...headers, ...extra } }),
    post: (path, body, extra = {}) =>
      fetch(`${url}/api${path}`, {
        method: 'POST',
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...extra },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
  };
}
