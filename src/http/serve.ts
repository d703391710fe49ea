import { once, setMaxListeners } from 'node:events';
import type { Server } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { HttpSettings } from '../config/settings-http.ts';
import { AppError } from '../model/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { createHttpApp, type HttpParts, type ShellDeps } from './http-app.ts';
import { createLimitedServer } from './limits.ts';
import { createMcpEndpoint } from './mcp-endpoint.ts';
import type { MakeServer } from './mcp-link.ts';

/** How often connections that have nothing more to say are looked for, while the server ends. */
const LOOK_MS = 50;
/** Time for the first request of a connection that was just made, while the server ends. */
const FIRST_REQUEST_MS = 1_000;

export interface ServeDeps extends Omit<ShellDeps, 'closing'> {
  readonly clock: Clock;
  readonly makeServer: MakeServer;
  /** Aborted by `stop`. */
  readonly closing: AbortController;
}

export interface RunningServer {
  /** With the port it really has. */
  readonly url: string;
  /**
   * Takes no more connections, tells streams to come back, waits for what is in flight for at most the grace time, then
   * cuts it.
   */
  stop(): Promise<void>;
}

/** Listens. @throws AppError config_invalid when the address cannot be had */
export async function serve(
  { closing, ...rest }: ServeDeps,
  settings: HttpSettings,
  parts: Omit<HttpParts, 'mcp'>,
): Promise<RunningServer> {
  // Every wait listens to it.
  setMaxListeners(0, closing.signal);
  const deps = { ...rest, closing: closing.signal };
  const endpoint = createMcpEndpoint(deps, settings);
  const server = createLimitedServer(createHttpApp(deps, settings, { ...parts, mcp: endpoint.router }), settings);
  const silent = silentConnections(server);
  try {
    await listening(server, settings);
  } catch (error) {
    await endpoint.close();
    throw error;
  }
  return {
    url: urlOf(server, settings.host),
    async stop() {
      closing.abort();
      endpoint.release();
      const graceMs = settings.shutdown_grace_seconds * 1000;
      const isDrained = await drained(server, silent, graceMs);
      if (!isDrained) deps.log.warn({ grace_ms: graceMs }, 'requests were cut off: the grace time is over');
      await endpoint.close();
      server.closeAllConnections();
    },
  };
}

async function listening(server: Server, { host, port }: HttpSettings): Promise<void> {
  server.listen({ host: host.replace(/^\[(.*)\]$/, '$1'), port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new AppError('config_invalid', `Cannot listen on ${host}, port ${port}: ${reasonOf(error)}.`, {
      cause: error,
      hint: 'Set http.host and http.port, or --host and --port; port 0 takes any free one.',
    });
  }
}

const REASONS: ReadonlyMap<unknown, string> = new Map([
  ['EADDRINUSE', 'it is in use'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
  ['EACCES', 'that needs more rights'],
  ['ENOTFOUND', 'the name is unknown'],
]);

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return REASONS.get(code) ?? String(code ?? error);
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  const port = address === null || typeof address === 'string' ? 0 : address.port;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Connections no request has come over yet: Node does not count them among the idle ones. */
function silentConnections(server: Server): ReadonlySet<Socket> {
  const silent = new Set<Socket>();
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', ({ socket }) => silent.delete(socket));
  return silent;
}

/** True when everybody got an answer in time. */
async function drained(server: Server, silent: ReadonlySet<Socket>, graceMs: number): Promise<boolean> {
  const over = new AbortController();
  const closed = once(server, 'close').then(() => true);
  server.close();
  // Kept connections are closed once they are idle, not only those that are idle now.
  const look = setInterval(() => server.closeIdleConnections(), LOOK_MS);
  const giveUp = setTimeout(() => silent.forEach((socket) => socket.destroy()), FIRST_REQUEST_MS);
  try {
    return await Promise.race([closed, delay(graceMs, false, { signal: over.signal })]);
  } finally {
    over.abort();
    clearInterval(look);
    clearTimeout(giveUp);
  }
}
