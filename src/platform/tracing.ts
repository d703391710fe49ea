import { createHash } from 'node:crypto';

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A span to begin. What is not given comes from the span around it in this process. */
export interface SpanStart {
  readonly name: string;
  readonly kind?: 'server' | 'producer' | 'consumer' | 'internal';
  /** 32 hex digits. */
  readonly traceId?: string;
  /** 16 hex digits: the span this one belongs to, where that is in another process. */
  readonly parentId?: string | undefined;
  /** 16 hex digits; else random. */
  readonly spanId?: string;
  /** Never a secret, never text of a scanned system. */
  readonly attributes?: SpanAttributes;
}

export interface OpenSpan {
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** What went wrong, by its code. */
  fail(code: string): void;
}

/** Where the parts of a trace go. One trace id runs from the request of a client to the engine of a worker. */
export interface Tracing {
  /** False when nothing is kept: then what only serves spans need not be done. */
  readonly isOn: boolean;
  /** Runs `body` inside a span, which also ends when it throws. */
  within<T>(start: SpanStart, body: (span: OpenSpan) => Promise<T>): Promise<T>;
  /** A span that is over already. Epoch milliseconds. */
  record(start: SpanStart, startedAt: number, endedAt: number): void;
  /** Sends what is left, in bounded time. */
  close(): Promise<void>;
}

const unheard: OpenSpan = { rename: () => undefined, set: () => undefined, fail: () => undefined };

/** Without a place to send spans to, nothing is made. */
export const noTracing: Tracing = {
  isOn: false,
  within: (_start, body) => body(unheard),
  record: () => undefined,
  close: () => Promise.resolve(),
};

/**
 * The span under which a scan was accepted. It follows from the scan's id, so that a worker knows its parent without
 * anything kept beside the trace id.
 */
export const submitSpanId = (scanId: string): string =>
  createHash('sha256').update(`scanmux submit ${scanId}`).digest('hex').slice(0, 16);

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;
const NO_SPAN = '0'.repeat(16);

/** The caller's span in a W3C `traceparent`, when that speaks of this trace. */
export function parentIdIn(traceparent: unknown, traceId: string): string | undefined {
  const [, trace, parent] = (typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : null) ?? [];
  return trace === traceId && parent !== NO_SPAN ? parent : undefined;
}
