import type { Request, RequestHandler, Response } from 'express';
import { newTraceId, traceIdIn } from '../model/ids.ts';

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const traces = new WeakMap<Request, string>();

function sentTraceId({ headers }: Request): string | undefined {
  const own = headers['x-trace-id'];
  return traceIdIn(headers['traceparent']) ?? (typeof own === 'string' ? plainTraceId(own.toLowerCase()) : undefined);
}

/** Many clients send a UUID: the same number, spelt otherwise. */
function plainTraceId(sent: string): string | undefined {
  const digits = UUID.test(sent) ? sent.replaceAll('-', '') : sent;
  return TRACE_ID.test(digits) ? digits : undefined;
}

/** Gives every request a trace id: the one of `traceparent` or `X-Trace-Id`, else a new one; says it in the answer. */
export const traceRequests: RequestHandler = (request, response, next) => {
  setTraceId(request, response, sentTraceId(request) ?? newTraceId());
  next();
};

/** For a request whose body names a trace of its own. */
export function setTraceId(request: Request, response: Response, traceId: string): void {
  traces.set(request, traceId);
  response.setHeader('X-Trace-Id', traceId);
}

export const traceIdOf = (request: Request): string => traces.get(request) ?? newTraceId();
