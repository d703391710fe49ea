import { expect, it, onTestFinished, vi } from 'vitest';
import { telemetrySettings } from '../../src/config/telemetry.ts';
import { AppError } from '../../src/model/errors.ts';
import { newTraceId } from '../../src/model/ids.ts';
import { silentLog } from '../../src/platform/log.ts';
import { createOtelTracing } from '../../src/platform/otel-tracing.ts';
import { noTracing, parentIdIn, submitSpanId } from '../../src/platform/tracing.ts';
import { startOtlpReceiver } from './otlp-receiver.ts';

const SETTINGS = { headers: {}, resource: { 'service.name': 'scanmux' }, ratio: 1, delayMs: 10 };

async function startTracing(over: Partial<typeof SETTINGS> = {}) {
  const receiver = await startOtlpReceiver();
  const tracing = createOtelTracing({ ...SETTINGS, ...over, url: `${receiver.endpoint}/v1/traces` }, silentLog);
  onTestFinished(() => tracing.close());
  return { tracing, receiver };
}

it('keeps the ids that were decided elsewhere, and makes spans inside others their children', async () => {
  const { tracing, receiver } = await startTracing({ headers: { 'x-tenant': 'ours' } });
  const traceId = newTraceId();
  const answer = await tracing.within({ name: 'outer', traceId, parentId: 'a'.repeat(16) }, async () => {
    await Promise.all(
      ['one', 'two'].map((name) => tracing.within({ name, spanId: submitSpanId(name) }, async () => undefined)),
    );
    tracing.record({ name: 'past' }, 1_000, 3_000);
    return 'body';
  });
  await tracing.close();
  expect(answer).toBe('body');
  const byName = new Map(receiver.spans.map((span) => [span.name, span]));
  const outer = byName.get('outer');
  expect(outer).toMatchObject({ traceId, parentId: 'a'.repeat(16), service: 'scanmux', failed: false });
  expect(byName.get('one')).toMatchObject({ traceId, parentId: outer?.spanId, spanId: submitSpanId('one') });
  expect(byName.get('two')).toMatchObject({ traceId, parentId: outer?.spanId, spanId: submitSpanId('two') });
  expect(byName.get('past')).toMatchObject({ traceId, parentId: outer?.spanId, startedAt: 1_000, endedAt: 3_000 });
  expect(receiver.headers[0]).toMatchObject({ 'x-tenant': 'ours' });
});

it('begins a trace without a parent under the trace id it was given', async () => {
  const { tracing, receiver } = await startTracing();
  const traceId = newTraceId();
  await tracing.within({ name: 'root', traceId }, async () => {
    await tracing.within({ name: 'of another trace', traceId: '1'.repeat(32) }, async () => undefined);
  });
  await tracing.close();
  expect(receiver.spans.find(({ name }) => name === 'root')).toMatchObject({ traceId });
  const other = receiver.spans.find(({ name }) => name === 'of another trace');
  expect([other?.traceId, other?.parentId || undefined]).toEqual(['1'.repeat(32), undefined]);
});

it('says by its code what went wrong, never in words that may hold anything', async () => {
  const { tracing, receiver } = await startTracing();
  const refusal = new AppError('target_denied', 'secret words');
  await expect(tracing.within({ name: 'refused' }, () => Promise.reject(refusal))).rejects.toBe(refusal);
  await expect(tracing.within({ name: 'defect' }, () => Promise.reject(new Error('secret')))).rejects.toThrow('secret');
  await tracing.close();
  expect(receiver.spans).toMatchObject([
    { name: 'refused', failed: true, attributes: { 'error.type': 'target_denied' } },
    { name: 'defect', failed: true, attributes: { 'error.type': 'internal_error' } },
  ]);
  expect(JSON.stringify(receiver.spans)).not.toContain('secret');
});

it('decides by the trace id alone which traces are kept', async () => {
  const { tracing, receiver } = await startTracing({ ratio: 0.5 });
  const ids = Array.from({ length: 60 }, newTraceId);
  for (const traceId of ids) {
    tracing.record({ name: 'server', traceId }, 1, 2);
    tracing.record({ name: 'worker', traceId, parentId: 'b'.repeat(16) }, 1, 2);
  }
  await tracing.close();
  const kept = (name: string) => new Set(receiver.spans.filter((span) => span.name === name).map((s) => s.traceId));
  expect(kept('server')).toEqual(kept('worker'));
  expect(kept('server').size).toBeGreaterThan(0);
  expect(kept('server').size).toBeLessThan(60);
});

it('never fails what it traces, and complains once, when nobody receives', async () => {
  const warn = vi.fn();
  const log = { ...silentLog, warn };
  const tracing = createOtelTracing({ ...SETTINGS, url: 'http://127.0.0.1:1/v1/traces' }, log);
  expect(await tracing.within({ name: 'one' }, async () => 1)).toBe(1);
  await tracing.close();
  expect(warn.mock.calls.length).toBeLessThanOrEqual(1);
});

it('makes nothing without a receiver', async () => {
  expect(await noTracing.within({ name: 'x' }, async (span) => (span.set({ a: 1 }), 'done'))).toBe('done');
  expect(telemetrySettings({}, '1')).toBeUndefined();
  expect(telemetrySettings({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, '1')).toBeUndefined();
  const disabled = { OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
  expect(telemetrySettings(disabled, '1')).toBeUndefined();
});

it('reads the variables of every OpenTelemetry program', () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318/',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b,x=1',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod,service.name=other',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
  };
  expect(telemetrySettings(env, '9.9')).toEqual({
    url: 'http://127.0.0.1:4318/v1/traces',
    headers: { 'api-key': 'a b', x: '1' },
    resource: { 'service.version': '9.9', 'deployment.environment.name': 'prod', 'service.name': 'other' },
    ratio: 0.25,
    delayMs: 5_000,
  });
  const own = { ...env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t.example/x', OTEL_SERVICE_NAME: 'mine' };
  expect(telemetrySettings(own, '9.9')).toMatchObject({
    url: 'https://t.example/x',
    resource: { 'service.name': 'mine' },
  });
});

it.each([
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' },
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
  { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '7' },
])('refuses what it cannot do, by the name of the variable: %o', (env) => {
  expect(() => telemetrySettings(env, '1')).toThrow(/environment variable OTEL_/);
});

it('takes the parent of a traceparent only for its own trace', () => {
  const trace = newTraceId();
  const parent = '00f067aa0ba902b7';
  expect(parentIdIn(`00-${trace}-${parent}-01`, trace)).toBe(parent);
  expect(parentIdIn(`00-${trace}-${parent}-01`, newTraceId())).toBeUndefined();
  expect(parentIdIn(`00-${trace}-${'0'.repeat(16)}-01`, trace)).toBeUndefined();
  expect(parentIdIn(undefined, trace)).toBeUndefined();
});
