import { expect, it } from 'vitest';
import { newTraceId } from '../../src/model/ids.ts';
import { silentLog } from '../../src/platform/log.ts';
import { createOtelTracing } from '../../src/platform/otel-tracing.ts';
import { startOtlpReceiver } from '../platform/otlp-receiver.ts';
import { ADMIN, newScan, startObserved } from './observe-lab.ts';

it('makes a span of every request but probes, inside the trace of the client', async () => {
  const receiver = await startOtlpReceiver();
  const url = `${receiver.endpoint}/v1/traces`;
  const tracing = createOtelTracing({ url, headers: {}, resource: {}, ratio: 1, delayMs: 10 }, silentLog);
  const lab = await startObserved({}, {}, tracing);
  const scan = newScan();
  await lab.queue.submit(scan);
  const traceId = newTraceId();
  const job = `${lab.url}/queues/api/queues/web/${scan.scanId}`;
  const headers = { ...ADMIN, traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  const answer = await fetch(job, { headers });
  await answer.text();
  await (await fetch(`${lab.url}/healthz`)).text();
  await (await fetch(`${lab.url}/no/such`, { headers: { 'x-trace-id': traceId } })).text();
  expect(answer.headers.get('x-trace-id')).toBe(traceId);
  await expect.poll(() => receiver.spans.length).toBe(2);
  await tracing.close();
  expect(receiver.spans).toMatchObject([
    {
      name: 'GET /queues/api/queues/:queueName/:jobId',
      traceId,
      parentId: '00f067aa0ba902b7',
      attributes: { 'http.response.status_code': 200 },
    },
    { name: 'GET other', traceId, attributes: { 'http.response.status_code': 404 } },
  ]);
});
