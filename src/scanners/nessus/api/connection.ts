import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { buildConnector, Pool } from 'undici';
import type { Authority } from './authority.ts';
import { NOT_PINNED, NotTrusted } from './not-trusted.ts';

/** How one instance is reached. Times in milliseconds. */
export interface Address {
  /** Origin and, behind a proxy, a path; without a slash at the end. */
  readonly url: URL;
  readonly tls: Trust;
  readonly connectMs: number;
  /** Longest silence of the other side, before its answer and within it. */
  readonly silenceMs: number;
}

/** What is asked of the certificate: a chain to a known authority, one certificate and no other, or nothing. */
export type Trust =
  | { readonly kind: 'authorities'; readonly ca?: Authority }
  | { readonly kind: 'pinned'; readonly fingerprint: string }
  | { readonly kind: 'none' };

/** Of one instance, over all its scans. */
const CONNECTIONS = 6;

/** Never follows redirects: keys must not travel to another place. */
export function openPool({ url, tls, connectMs, silenceMs }: Address): Pool {
  return new Pool(url.origin, {
    connections: CONNECTIONS,
    pipelining: 1,
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    connect: connectorFor(tls, connectMs),
  });
}

function connectorFor(trust: Trust, timeout: number): buildConnector.connector {
  // What is asked of a certificate is asked here, not by TLS itself: its error would not say which one was shown. No
  // sessions are kept, because a resumed one need not show its certificate again.
  const connectorWith = (ca?: string): buildConnector.connector =>
    buildConnector({ timeout, rejectUnauthorized: false, maxCachedSessions: 0, ...(ca === undefined ? {} : { ca }) });
  if (trust.kind === 'none') return connectorWith();
  const connectNow = trust.kind === 'authorities' ? newestOf(trust, connectorWith) : connectorWith();
  return (options, callback) => {
    connectNow(options, (...[error, socket]) => {
      if (error) return callback(error, null);
      const distrust = distrustOf(trust, options.protocol, socket);
      if (distrust === undefined) return callback(null, socket);
      socket.destroy();
      return callback(distrust, null);
    });
  };
}

/** Connects with the authorities of `ca_file` as it is now. */
function newestOf(
  { ca }: Extract<Trust, { kind: 'authorities' }>,
  connectorWith: (ca?: string) => buildConnector.connector,
): buildConnector.connector {
  if (!ca) return connectorWith();
  let pem = ca.current().pem;
  let connect = connectorWith(pem);
  return (options, callback) => {
    const now = ca.current().pem;
    if (now !== pem) connect = connectorWith(now);
    pem = now;
    connect(options, callback);
  };
}

/** Why a connection must not be used; undefined when it may. Nothing was sent over it yet. */
function distrustOf(
  trust: Exclude<Trust, { kind: 'none' }>,
  protocol: string,
  socket: Socket | TLSSocket,
): NotTrusted | undefined {
  const seen = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (trust.kind === 'pinned') {
    if (seen && plainFingerprint(seen.fingerprint256) === trust.fingerprint) return undefined;
    return new NotTrusted({ code: NOT_PINNED, setting: 'tls_fingerprint', seen });
  }
  // http:// is for this machine only.
  if (protocol !== 'https:' || (socket instanceof TLSSocket && socket.authorized)) return undefined;
  const code = socket instanceof TLSSocket ? String(socket.authorizationError) : 'no TLS';
  if (!trust.ca) return new NotTrusted({ code, setting: 'none', seen });
  const { file } = trust.ca;
  const { trouble } = trust.ca.current();
  return new NotTrusted({ code, setting: 'ca_file', file, seen, ...(trouble === undefined ? {} : { trouble }) });
}

/** 64 lower-case hex digits of a SHA-256 fingerprint, however it is written. */
export const plainFingerprint = (text: string): string =>
  text
    .replace(/^sha256[:/=]?/i, '')
    .replace(/[:\s]/g, '')
    .toLowerCase();
