import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Span } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  TraceIdRatioBasedSampler,
  type IdGenerator,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-node';
import { errorFacts } from '../model/errors.ts';
import { newTraceId } from '../model/ids.ts';
import type { Log } from './log.ts';
import type { OpenSpan, SpanStart, Tracing } from './tracing.ts';

export interface OtelSettings {
  /** Where OTLP over HTTP takes traces, whole. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `service.name`, `service.version` and what the operator added. */
  readonly resource: Readonly<Record<string, string>>;
  /** Share of traces that are kept, 0 to 1. By trace id, so that every process decides alike. */
  readonly ratio: number;
  /** How long spans are gathered before they are sent. */
  readonly delayMs: number;
}

interface Around {
  readonly traceId: string;
  readonly spanId: string;
}

const KINDS = {
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

const CLOSE_PATIENCE_MS = 3_000;
const COMPLAIN_EVERY_MS = 60_000;

/** Spans over OTLP. Trouble with their receiver is logged now and then, and never reaches what is traced. */
export function createOtelTracing(settings: OtelSettings, log: Log): Tracing {
  const ids = createIds();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ ...settings.resource }),
    sampler: new TraceIdRatioBasedSampler(settings.ratio),
    idGenerator: ids,
    spanProcessors: [
      new BatchSpanProcessor(complaining(exporterOf(settings), log), { scheduledDelayMillis: settings.delayMs }),
    ],
  });
  const tracer = provider.getTracer('scanmux');
  const around = new AsyncLocalStorage<Around>();

  const begin = (start: SpanStart, startTime?: number): { span: Span; inside: Around } => {
    const outer = around.getStore();
    const traceId = start.traceId ?? outer?.traceId ?? newTraceId();
    const parentId = start.parentId ?? (outer?.traceId === traceId ? outer.spanId : undefined);
    ids.next({ traceId, spanId: start.spanId });
    const parent = parentId && { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    const { name, kind = 'internal', attributes = {} } = start;
    const options = { kind: KINDS[kind], attributes: { ...attributes } };
    const timed = startTime === undefined ? options : { ...options, startTime: dateOf(startTime) };
    const span = tracer.startSpan(name, timed, context);
    return { span, inside: { traceId, spanId: span.spanContext().spanId } };
  };
  return {
    isOn: true,
    async within(start, body) {
      const { span, inside } = begin(start);
      try {
        return await around.run(inside, () => body(openSpan(span)));
      } catch (error) {
        openSpan(span).fail(errorFacts(error).code);
        throw error;
      } finally {
        span.end();
      }
    },
    record(start, startedAt, endedAt) {
      begin(start, startedAt).span.end(dateOf(Math.max(startedAt, endedAt)));
    },
    async close() {
      const late = AbortSignal.timeout(CLOSE_PATIENCE_MS);
      const given = new Promise<void>((resolve) => late.addEventListener('abort', () => resolve(), { once: true }));
      await Promise.race([provider.shutdown().catch(() => undefined), given]);
    },
  };
}

/** A small number would be taken for a reading of `performance.now()`. */
const dateOf = (epochMs: number): Date => new Date(epochMs);

const openSpan = (span: Span): OpenSpan => ({
  rename: (name) => void span.updateName(name),
  set: (attributes) => void span.setAttributes({ ...attributes }),
  fail: (code) => void span.setAttribute('error.type', code).setStatus({ code: SpanStatusCode.ERROR }),
});

/** Ids that were decided elsewhere. Taken at once: making a span waits for nothing. */
function createIds(): IdGenerator & { next(ids: { traceId: string; spanId: string | undefined }): void } {
  let traceId: string | undefined;
  let spanId: string | undefined;
  return {
    next(given) {
      ({ traceId, spanId } = given);
    },
    generateTraceId: () => traceId ?? newTraceId(),
    generateSpanId: () => spanId ?? randomBytes(8).toString('hex'),
  };
}

const exporterOf = ({ url, headers }: OtelSettings): SpanExporter =>
  new OTLPTraceExporter({ url, headers: { ...headers } });

/** The library says nothing of spans it could not send. */
function complaining(exporter: SpanExporter, log: Log): SpanExporter {
  let quietUntil = 0;
  return {
    export(spans: ReadableSpan[], done) {
      exporter.export(spans, (result) => {
        if (result.error && performance.now() >= quietUntil) {
          quietUntil = performance.now() + COMPLAIN_EVERY_MS;
          log.warn({ err: result.error, spans: spans.length }, 'traces could not be sent');
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
