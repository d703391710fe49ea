import { isIP, type Socket } from 'node:net';
import type { Request, RequestHandler } from 'express';
import type { HttpSettings } from '../config/settings-http.ts';
import { AppError } from '../model/errors.ts';
import { cleanLine } from '../model/untrusted.ts';
import { HttpRefusal } from './refusal.ts';

export type SecuritySettings = Pick<HttpSettings, 'public_url' | 'allowed_hosts' | 'allowed_origins'>;

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'] as const;

/** Probes reach a server by any address, and these two say nothing about anybody. */
const PROBES: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/**
 * Refuses requests that a web page made behind somebody's back. `Host` must be a name of this server: after DNS
 * rebinding it is the attacker's. `Origin`, which browsers always send with such requests, must be ours or allowed.
 * Programs send no `Origin`.
 */
export function checkHostAndOrigin(settings: SecuritySettings): RequestHandler {
  const allowed = allowedHosts(settings);
  const origins = new Set(settings.allowed_origins);
  if (settings.public_url !== '') origins.add(new URL(settings.public_url).origin);
  return (request, _response, next) => {
    if (request.headersDistinct['host']?.length !== 1) {
      next(new HttpRefusal(400, 'A request has exactly one Host header.'));
      return;
    }
    const host = request.headers.host?.toLowerCase() ?? '';
    const isProbe = PROBES.has(request.path) && request.method === 'GET';
    if (!isProbe && !allowed(host, request.socket)) {
      next(new AppError('forbidden', `This server is not called ${cleanLine(host, 100)}.`, { hint: HOST_HINT }));
      return;
    }
    const { origin } = request.headers;
    if (origin !== undefined && !origins.has(origin) && !isOwnOrigin(origin, request)) {
      next(new AppError('forbidden', `Web pages of ${cleanLine(origin, 100)} may not call this server.`, ORIGIN_HINT));
      return;
    }
    next();
  };
}

const HOST_HINT = 'Operator: if it should be, add the name to http.allowed_hosts or set http.public_url. Do not retry.';
const ORIGIN_HINT = { hint: 'Operator: if they may, add the origin to http.allowed_origins. Do not retry.' };

type AllowsHost = (host: string, socket: Socket) => boolean;

function allowedHosts({ public_url: publicUrl, allowed_hosts: names }: SecuritySettings): AllowsHost {
  if (names.includes('*')) return () => true;
  const exact = new Set(names.map((name) => name.toLowerCase()));
  if (publicUrl !== '') exact.add(new URL(publicUrl).host);
  return (host, socket) => exact.has(host) || exact.has(withoutPort(host)) || isReachedAt(host, socket);
}

const withoutPort = (host: string): string => host.replace(/:\d+$/, '');

/** The address and port the connection came in at, or loopback by name: neither can be somebody else's name for us. */
function isReachedAt(host: string, { localAddress = '', localPort }: Socket): boolean {
  const plain = localAddress.replace(/^::ffff:(?=[\d.]+$)/i, '');
  const own = isIP(plain) === 6 ? `[${plain.toLowerCase()}]` : plain;
  return [...LOOPBACK_NAMES, own].some(
    (name) => host === `${name}:${localPort}` || (host === name && localPort === 80),
  );
}

/** A page this server itself served. `request.host` has passed the check above. */
function isOwnOrigin(origin: string, request: Request): boolean {
  return origin === `${request.protocol}://${request.headers.host?.toLowerCase()}`;
}

/** What keeps a browser from making more of an answer than it is. Routes may set their own afterwards. */
export function securityHeaders({ public_url: publicUrl }: SecuritySettings): RequestHandler {
  const isTls = publicUrl.startsWith('https:');
  const headers = Object.entries({
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-store',
    Vary: 'Origin',
    ...(isTls ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}),
  });
  return (_request, response, next) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    next();
  };
}

const CORS = {
  'Access-Control-Allow-Methods': 'GET, POST, DELETE',
  'Access-Control-Allow-Headers':
    'Authorization, Content-Type, Accept, Idempotency-Key, If-Match, If-None-Match, If-Range, Last-Event-ID, ' +
    'Mcp-Session-Id, Mcp-Protocol-Version, Range, Traceparent, X-Trace-Id',
  'Access-Control-Expose-Headers':
    'Mcp-Session-Id, WWW-Authenticate, X-Trace-Id, ETag, Location, Retry-After, Accept-Ranges, Content-Disposition, ' +
    'Content-Range, Repr-Digest',
  'Access-Control-Max-Age': '600',
};

/** CORS for the origins the operator named. They have passed the check of `Origin` by now; cookies play no part. */
export function crossOrigin({ allowed_origins: names }: SecuritySettings): RequestHandler {
  const allowed = new Set(names);
  return (request, response, next) => {
    const { origin } = request.headers;
    if (origin === undefined || !allowed.has(origin)) {
      next();
      return;
    }
    response.set({ ...CORS, 'Access-Control-Allow-Origin': origin, 'Cross-Origin-Resource-Policy': 'cross-origin' });
    if (request.method === 'OPTIONS') response.status(204).end();
    else next();
  };
}
