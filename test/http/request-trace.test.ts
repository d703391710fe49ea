import express from 'express';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { traceIdOf, traceRequests } from '../../src/http/request-trace.ts';

const HEX = '0af7651916cd43dd8448eb211c80319c';
const UUID = '0AF76519-16cd-43dd-8448-EB211C80319C';
const PARENT = { traceparent: `00-${HEX}-b7ad6b7169203331-01` };

async function traceOf(headers: Readonly<Record<string, string>>): Promise<string> {
  const app = express();
  app.use(traceRequests, (request, response) => void response.end(traceIdOf(request)));
  const server = createServer(app).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers });
  const said = response.headers.get('x-trace-id') ?? '';
  expect(await response.text()).toBe(said);
  return said;
}

it.each([
  ['32 hex digits', { 'x-trace-id': HEX }],
  ['them in upper case', { 'x-trace-id': HEX.toUpperCase() }],
  ['a UUID, which is the same number', { 'x-trace-id': UUID }],
  ['traceparent', PARENT],
  ['traceparent before X-Trace-Id', { ...PARENT, 'x-trace-id': 'ab'.repeat(16) }],
])('a request has the trace id it brings as %s', async (_what, headers) => {
  expect(await traceOf(headers)).toBe(HEX);
});

it.each([
  '',
  'my request',
  '0'.repeat(32),
  '00000000-0000-0000-0000-000000000000',
  `${HEX}0`,
  `-${HEX}`,
  'g'.repeat(32),
])('a request that brings %j as one gets a new one', async (odd) => {
  const made = await traceOf({ 'x-trace-id': odd });
  expect(made).toMatch(/^[0-9a-f]{32}$/);
  expect(odd).not.toContain(made);
});
