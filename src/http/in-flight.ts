import type { Response } from 'express';
import { AppError } from '../model/errors.ts';
import { HttpRefusal } from './refusal.ts';

export interface InFlightBounds {
  /** POSTs of one tenant that are not answered yet, those of sessions included. */
  readonly perTenant: number;
  /** The same over all tenants. */
  readonly inAll: number;
  /** Bytes of the bodies of those requests, over all tenants. One tenant may have half. */
  readonly bodyBytes: number;
}

/** A body takes up to ten times its size once it is parsed, for as long as its request waits. */
const USUAL_BOUNDS: InFlightBounds = { perTenant: 256, inAll: 2_000, bodyBytes: 32 * 1024 * 1024 };

/** Bodies up to this size do not count: large ones of somebody else keep nobody out. */
const SMALL_BYTES = 16 * 1024;
const RETRY_SECONDS = 2;

/** Place that one request takes up until its answer is over. */
export interface Occupied {
  /** Its body is this large after all. @throws AppError rate_limited */
  weigh(bytes: number): void;
}

export interface InFlight {
  /** @param bytes of the body, as far as that is known. @throws AppError rate_limited */
  enter(tenant: string, response: Response, bytes: number): Occupied;
}

interface Used {
  requests: number;
  bytes: number;
}

/** However large a body may be, two of them are taken at a time. */
export function boundsFor(maxBodyBytes: number, over: Partial<InFlightBounds> = {}): InFlightBounds {
  const bounds = { ...USUAL_BOUNDS, ...over };
  return { ...bounds, bodyBytes: Math.max(bounds.bodyBytes, maxBodyBytes * 4) };
}

/** Counts what is in flight in this process, at /mcp or of REST, so that waiting requests cannot fill its memory. */
export function createInFlight(bounds: InFlightBounds): InFlight {
  const all: Used = { requests: 0, bytes: 0 };
  const byTenant = new Map<string, Used>();
  const hasRoomFor = (own: Used, more: number): boolean =>
    own.bytes + more <= bounds.bodyBytes / 2 && all.bytes + more <= bounds.bodyBytes;

  return {
    enter(tenant, response, bytes) {
      // Its end would not be heard of any more.
      if (response.destroyed) throw new HttpRefusal(400, 'The client has gone.');
      const own = byTenant.get(tenant) ?? { requests: 0, bytes: 0 };
      if (own.requests >= bounds.perTenant || all.requests >= bounds.inAll) throw tooMany('requests');
      let held = 0;
      const weigh = (size: number): void => {
        const counted = size > SMALL_BYTES ? size : 0;
        if (counted > held && !hasRoomFor(own, counted - held)) throw tooMany('large requests');
        for (const used of [own, all]) used.bytes += counted - held;
        held = counted;
      };
      weigh(bytes);
      byTenant.set(tenant, own);
      for (const used of [own, all]) used.requests += 1;
      response.once('close', () => {
        for (const used of [own, all]) {
          used.requests -= 1;
          used.bytes -= held;
        }
        held = 0;
        if (own.requests === 0) byTenant.delete(tenant);
      });
      return { weigh };
    },
  };
}

const tooMany = (what: string): AppError =>
  new AppError('rate_limited', `Too many ${what} wait for their answers.`, {
    hint: 'Wait for some of them first: one wait for each scan is enough.',
    retryAfterSeconds: RETRY_SECONDS,
  });
