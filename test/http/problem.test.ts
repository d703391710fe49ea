import { Router } from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { problemOf, retryAfterOf, statusOfCode } from '../../src/http/problem.ts';
import { AppError, ERROR_CATALOG, type ErrorCode } from '../../src/model/errors.ts';
import { silentLog } from '../../src/platform/log.ts';
import { callerNamed, fixedAuthenticator } from './fixed-authenticator.ts';
import { startHttp } from './start-http.ts';

const isCode = (text: string): text is ErrorCode => text in ERROR_CATALOG;
const CODES = Object.keys(ERROR_CATALOG).filter(isCode);

async function answerTo(error: unknown): Promise<Response> {
  const rest = Router();
  rest.get('/', () => {
    throw error;
  });
  const authenticator = fixedAuthenticator(callerNamed('any'));
  const closing = new AbortController().signal;
  const http = await startHttp({ authenticator, closing, log: silentLog }, { rest });
  onTestFinished(() => http.close());
  return fetch(`${http.url}/api`, { headers: { 'x-trace-id': 'ab'.repeat(16) } });
}

describe('a problem', () => {
  it.each(CODES)('%s has a status of its own kind', (code) => {
    const status = statusOfCode(code);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    // What a caller could cure by itself is never the fault of the server.
    if (/^(invalid|target|cursor|option|pool|instance|idempotency)/.test(code)) expect(status).toBeLessThan(500);
  });

  it('carries what agents are told, in the form of RFC 9457', async () => {
    const error = new AppError('target_denied', '192.0.2.1 is outside the scope.', { targets: ['192.0.2.1'] });
    const response = await answerTo(error);
    expect(response.status).toBe(403);
    expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(await response.json()).toEqual({
      type: 'urn:scanmux:error:target_denied',
      title: 'Target denied',
      status: 403,
      detail: '192.0.2.1 is outside the scope.',
      code: 'target_denied',
      hint: ERROR_CATALOG.target_denied.hint,
      retryable: false,
      trace_id: 'ab'.repeat(16),
      targets: ['192.0.2.1'],
    });
  });

  it('of a defect says nothing of it but the trace', async () => {
    const response = await answerTo(new Error('secret path /home/operator/key'));
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).toContain('internal_error');
    expect(text).not.toMatch(/secret|operator|at /);
  });

  it.each([
    [new AppError('rate_limited', 'Too fast.', { retryAfterSeconds: 2.2 }), '3'],
    [new AppError('quota_exceeded', 'Too many.'), '30'],
    [new AppError('queue_unavailable', 'Away.'), '5'],
  ])('that passes says when to come back', async (error, seconds) => {
    const response = await answerTo(error);
    await response.text();
    expect(response.headers.get('retry-after')).toBe(seconds);
  });

  it('that does not pass by itself names no time', () => {
    expect(retryAfterOf(new AppError('target_denied', 'No.'))).toBeUndefined();
    expect(problemOf('not even an error', 'x').code).toBe('internal_error');
  });
});
