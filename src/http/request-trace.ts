import type { Request, RequestHandler, Response } from 'express';
import { newTraceId } from '../model/ids.ts';

const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const TRACE_ID = /^[0-9a-f]{32}$/;
const NONE = '0'.repeat(32);

const traces = new WeakMap<Request, string>();

/** The trace id in a W3C `traceparent`, undefined when it holds none. */
export function traceIdIn(traceparent: unknown): string | undefined {
  const id = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
  return id === NONE ? undefined : id;
}

function sentTraceId(request: Request): string | undefined {
  const own = request.get('x-trace-id');
  return traceIdIn(request.get('traceparent')) ?? (own && TRACE_ID.test(own) && own !== NONE ? own : undefined);
}

/** Gives every request a trace id: the one of `traceparent` or `X-Trace-Id`, else a new one; says it in the answer. */
export const traceRequests: RequestHandler = (request, response, next) => {
  setTraceId(request, response, sentTraceId(request) ?? newTraceId());
  next();
};

/** For a request whose body names a trace of its own. */
export function setTraceId(request: Request, response: Response, traceId: string): void {
  traces.set(request, traceId);
  response.set('X-Trace-Id', traceId);
}

export const traceIdOf = (request: Request): string => traces.get(request) ?? newTraceId();
