import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { HttpSettings } from '../config/settings-http.ts';
import { AppError } from '../model/errors.ts';
import { createLimitedServer } from './limits.ts';

/** How often connections that have nothing more to say are looked for, while the server ends. */
const LOOK_MS = 50;
/** Time for the first request of a connection that was just made, while the server ends. */
const FIRST_REQUEST_MS = 1_000;

/** The socket of the server. Who answers may change while it listens: it can be open before there is a queue. */
export interface Door {
  /** With the port it really has. */
  readonly url: string;
  /** Requests from now on go to this listener. */
  answerWith(listener: RequestListener): void;
  /** Takes no more connections. True when everybody got an answer within `graceMs`; the rest waits for `cut`. */
  drained(graceMs: number): Promise<boolean>;
  /** Ends every connection there still is. */
  cut(): void;
}

/** Listens. @throws AppError config_invalid when the address cannot be had */
export async function openDoor(settings: HttpSettings, first: RequestListener): Promise<Door> {
  let listener = first;
  const server = createLimitedServer((request, response) => listener(request, response), settings);
  const silent = silentConnections(server);
  await listening(server, settings);
  return {
    url: urlOf(server, settings.host),
    answerWith(next) {
      listener = next;
    },
    drained: (graceMs) => drained(server, silent, graceMs),
    cut: () => server.closeAllConnections(),
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
