import { TLSSocket } from 'node:tls';
import { buildConnector, Pool } from 'undici';

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
  | { readonly kind: 'authorities'; readonly ca?: string }
  | { readonly kind: 'pinned'; readonly fingerprint: string }
  | { readonly kind: 'none' };

/** Of one instance, over all its scans. */
const CONNECTIONS = 6;

/** The code of an error that says that another certificate was shown than the pinned one. */
export const NOT_PINNED = 'SCANMUX_CERTIFICATE_NOT_PINNED';

class NotPinned extends Error {
  readonly code = NOT_PINNED;
}

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
  if (trust.kind === 'authorities')
    return buildConnector({ timeout, ...(trust.ca === undefined ? {} : { ca: trust.ca }) });
  // No sessions are kept: a resumed one need not show its certificate again.
  const connect = buildConnector({ timeout, rejectUnauthorized: false, maxCachedSessions: 0 });
  if (trust.kind === 'none') return connect;
  return (options, callback) => {
    connect(options, (...[error, socket]) => {
      if (error) return callback(error, null);
      const seen = socket instanceof TLSSocket ? socket.getPeerCertificate().fingerprint256 : undefined;
      if (seen !== undefined && plainFingerprint(seen) === trust.fingerprint) return callback(null, socket);
      socket.destroy();
      return callback(new NotPinned(`It shows the certificate ${seen ?? 'of nobody'}.`), null);
    });
  };
}

/** 64 lower-case hex digits of a SHA-256 fingerprint, however it is written. */
export const plainFingerprint = (text: string): string =>
  text
    .replace(/^sha256[:/=]?/i, '')
    .replace(/[:\s]/g, '')
    .toLowerCase();
