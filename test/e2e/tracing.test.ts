import { expect, it } from 'vitest';
import { newTraceId } from '../../src/model/ids.ts';
import { startOtlpReceiver, type ReceivedSpan } from '../platform/otlp-receiver.ts';
import { connect, createInstallation, finished } from './stdio-client.ts';

it('makes one trace of a client, a server process and a worker process', async () => {
  const receiver = await startOtlpReceiver();
  const connection = await connect(createInstallation(), {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_BSP_SCHEDULE_DELAY: '50' },
  });
  const traceId = newTraceId();
  const clientSpan = '00f067aa0ba902b7';
  const answer = await connection.client.callTool({
    name: 'run_untrusted_scan',
    arguments: { targets: ['127.0.0.1'], scanner_pool: 'scripted', templates: ['duration:100'] },
    _meta: { traceparent: `00-${traceId}-${clientSpan}-01` },
  });
  expect(answer.isError).not.toBe(true);
  const { scan_id: scanId } = Object(answer.structuredContent);
  await finished(connection, scanId);

  const spanOf = (name: string): Promise<ReceivedSpan> =>
    expect
      .poll(() => receiver.spans.find((span) => span.name === name && span.traceId === traceId))
      .toBeDefined()
      .then(() => receiver.spans.find((span) => span.name === name && span.traceId === traceId))
      .then((span) => span ?? Promise.reject(new Error(`no span ${name}`)));
  const call = await spanOf('tools/call run_untrusted_scan');
  const submit = await spanOf('scan submit');
  const wait = await spanOf('scan queue wait');
  const attempt = await spanOf('scan attempt');
  const run = await spanOf('engine run scripted');
  const ingest = await spanOf('ingest report');
  expect(call.parentId).toBe(clientSpan);
  expect(submit.parentId).toBe(call.spanId);
  expect([wait.parentId, attempt.parentId]).toEqual([submit.spanId, submit.spanId]);
  expect([run.parentId, ingest.parentId]).toEqual([attempt.spanId, attempt.spanId]);
  expect(attempt.attributes).toMatchObject({ 'scanmux.scan_id': scanId, 'scanmux.outcome': 'completed' });
  expect(wait.endedAt).toBeGreaterThanOrEqual(wait.startedAt);
});
