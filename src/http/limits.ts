import { createServer, type RequestListener, type Server } from 'node:http';
import type { HttpSettings } from '../config/settings-http.ts';
import { refuseUnreadable } from './unreadable-requests.ts';

const MAX_HEADER_BYTES = 16_384;
const MAX_HEADERS = 100;
/** Longer than the idle time of usual proxies, so that they never send into a connection we are just closing. */
const KEEP_ALIVE_MS = 75_000;

export type LimitSettings = Pick<
  HttpSettings,
  'header_timeout_seconds' | 'request_timeout_seconds' | 'max_connections'
>;

/**
 * A server that nobody can hold up: bounds on the size, number and time of headers, on the time of a body and on
 * connections. Bodies have their own bound on size, where they are read.
 */
export function createLimitedServer(listener: RequestListener, settings: LimitSettings): Server {
  const headersMs = settings.header_timeout_seconds * 1000;
  const requestMs = Math.max(settings.request_timeout_seconds * 1000, headersMs);
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(2_000, headersMs / 2),
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Refused with every other wrong one, in security.ts.
      requireHostHeader: false,
      noDelay: true,
    },
    listener,
  );
  refuseUnreadable(server);
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = settings.max_connections;
  return server;
}
