import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Router } from 'express';
import { z } from 'zod';
import { silentLog } from '../../src/platform/log.ts';
import { callerNamed, fixedAuthenticator } from './fixed-authenticator.ts';
import { rawHttp } from './raw-http.ts';
import { startHttp } from './start-http.ts';

const Problem = z.object({
  type: z.literal('urn:scanmux:error:invalid_request'),
  title: z.string(),
  status: z.int(),
  detail: z.string().min(10),
  code: z.literal('invalid_request'),
  hint: z.string().min(10),
  retryable: z.boolean(),
  trace_id: z.string().regex(/^[0-9a-f]{32}$/),
});

/** The shell alone; `/begun` has sent a part of its answer and goes on for ever. */
async function start(): Promise<number> {
  const rest = Router();
  rest.get('/begun', (_request, response) => void response.write('begun'));
  rest.post('/takes', (_request, response) => void response.once('close', () => undefined));
  rest.get('/fine', (_request, response) => void response.json({ fine: true }));
  const shell = {
    authenticator: fixedAuthenticator(callerNamed('lab')),
    closing: new AbortController().signal,
    log: silentLog,
  };
  const server = await startHttp(shell, { rest }, { header_timeout_seconds: 1, request_timeout_seconds: 1 });
  onTestFinished(() => server.close());
  return server.port;
}

/** Takes an answer apart: what follows its length is none of it. */
function problemIn(answer: string): { readonly status: number; readonly problem: z.output<typeof Problem> } {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const value = (name: string): string => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim() ?? '';
  expect(value('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(Buffer.byteLength(body)).toBe(Number(value('content-length')));
  const problem = Problem.parse(JSON.parse(body));
  expect(value('x-trace-id')).toBe(problem.trace_id);
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
  expect(problem.status).toBe(status);
  return { status, problem };
}

describe('a request that cannot be read', () => {
  it('is refused as every other, with a code, a hint and a trace', async () => {
    const port = await start();
    const host = `Host: localhost:${port}`;
    const cases: readonly (readonly [status: number, detail: RegExp, request: string])[] = [
      [400, /HTTP/, 'nonsense\r\n\r\n'],
      [400, /HTTP/, `POST /api/takes HTTP/1.1\r\n${host}\r\nContent-Length: -5\r\n\r\n`],
      [400, /HTTP/, `POST /api/takes HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`],
      [400, /Host/, 'GET /api/fine HTTP/1.1\r\nConnection: close\r\n\r\n'],
      [431, /16 KiB/, `GET /api/fine HTTP/1.1\r\n${host}\r\nX-Large: ${'a'.repeat(20_000)}\r\n\r\n`],
      [431, /16 KiB/, `GET /api/fine?${'a'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n\r\n`],
      [408, /too long/, `GET /api/fine HTTP/1.1\r\n${host}\r\nX-Slow: `],
      [408, /too long/, `POST /api/takes HTTP/1.1\r\n${host}\r\nContent-Length: 9\r\n\r\n{`],
    ];
    const answers = await Promise.all(cases.map(([, , request]) => rawHttp(port, [request], { idleMs: 15_000 })));
    for (const [index, [due, detail]] of cases.entries()) {
      const { status, problem } = problemIn(answers[index] ?? '');
      expect([index, status]).toEqual([index, due]);
      expect(problem.detail).toMatch(detail);
    }
  });

  it('is refused also after others on the same connection', async () => {
    const port = await start();
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET /api/fine HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
      if (answer.endsWith('{"fine":true}')) socket.write('nonsense\r\n\r\n');
    });
    socket.on('error', () => undefined);
    await once(socket, 'close');
    expect(problemIn(answer.slice(answer.indexOf('HTTP/1.1 400'))).status).toBe(400);
  });

  it('ends an answer that has begun, and is not written into it', async () => {
    const port = await start();
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET /api/begun HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
      if (answer.includes('begun')) socket.write('nonsense\r\n\r\n');
    });
    socket.on('error', () => undefined);
    await once(socket, 'close');
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
  });

  it('may expect what no server knows: it is answered all the same', async () => {
    const port = await start();
    const lines = [`Host: localhost:${port}`, 'Expect: miracles', 'Connection: close'];
    const answer = await rawHttp(port, [`GET /api/fine HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`]);
    expect(answer).toMatch(/^HTTP\/1\.1 200[^]*\{"fine":true\}$/);
  });
});
