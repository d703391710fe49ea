import type { Intensity } from '../../model/scan.ts';

/** How hard a scan of one intensity may ask. A request is a TLS handshake, an HTTP request or a protocol greeting. */
export interface Limits {
  readonly requestsPerHost: number;
  readonly requestsPerScan: number;
  /** New connections and requests per second to one host. */
  readonly ratePerHost: number;
  /** Milliseconds for everything on one host; what is not done then is not done. */
  readonly hostMs: number;
}

export const LIMITS: Readonly<Record<Intensity, Limits>> = {
  light: { requestsPerHost: 40, requestsPerScan: 5_000, ratePerHost: 20, hostMs: 120_000 },
  standard: { requestsPerHost: 150, requestsPerScan: 20_000, ratePerHost: 50, hostMs: 300_000 },
  intrusive: { requestsPerHost: 400, requestsPerScan: 60_000, ratePerHost: 100, hostMs: 600_000 },
};

/** Sockets open at once to one host. */
export const SOCKETS_PER_HOST = 4;
/** Addresses of one name that are looked at. */
export const MAX_ADDRESSES_PER_NAME = 8;
/** A site that is late this often is given up: it could hold a scan for minutes, one request after the other. */
export const LATE_ANSWERS_PER_SITE = 2;
/** Bytes of a body that are read; the rest is not fetched. */
export const MAX_BODY_BYTES = 256 * 1_024;
export const MAX_HEADER_BYTES = 64 * 1_024;
/** Bytes of a greeting that are read. */
export const MAX_BANNER_BYTES = 4_096;
