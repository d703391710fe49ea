import { describe, expect, it, onTestFinished } from 'vitest';
import { anonymousOnLoopback, checkExposure, isLoopback } from '../../src/http/exposure.ts';
import { AppError } from '../../src/model/errors.ts';
import { silentLog } from '../../src/platform/log.ts';
import { Router } from 'express';
import type { HttpSettings } from '../../src/config/settings-http.ts';
import { authenticatorOf, callerNamed, fixedAuthenticator } from './fixed-authenticator.ts';
import { rawHttp, statusIn } from './raw-http.ts';
import { startHttp } from './start-http.ts';

/** A server whose only routes are one at /api and the probes; the answer tells the address the caller seemed to have. */
async function server(settings: Partial<HttpSettings> = {}) {
  const authenticator = fixedAuthenticator(callerNamed('any'));
  const seen: string[] = [];
  const shell = {
    authenticator: {
      ...authenticator,
      authenticate: (claimed: Parameters<typeof authenticator.authenticate>[0]) => {
        seen.push(claimed.remoteAddress);
        return authenticator.authenticate(claimed);
      },
    },
    closing: new AbortController().signal,
    log: silentLog,
  };
  const rest = Router();
  rest.get('/ok', (_request, response) => void response.json({ ok: true }));
  const open = Router();
  open.get('/healthz', (_request, response) => void response.json({ ok: true }));
  const running = await startHttp(shell, { rest, open: [open] }, settings);
  onTestFinished(() => running.close());
  const ask = async (host: string, more: readonly string[] = [], path = '/api/ok', method = 'GET'): Promise<string> =>
    rawHttp(running.port, [
      [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...more, '', ''].join('\r\n'),
    ]);
  return { ...running, ask, seen, status: async (...args: Parameters<typeof ask>) => statusIn(await ask(...args)) };
}

describe('the name a server is called by', () => {
  it('is a loopback name with its port, or the address it was reached at', async () => {
    const { port, status } = await server();
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
      expect([host, await status(host)]).toEqual([host, 200]);
    }
  });

  it('is no other: a name that an attacker made lead here (DNS rebinding) gets 403 before anything is done', async () => {
    const { port, ask, seen } = await server();
    const foreign = [
      `evil.example:${port}`,
      'evil.example',
      `127.0.0.1.evil.example:${port}`,
      `localhost.evil.example:${port}`,
      `localhost:${port + 1}`,
      'localhost',
      `10.1.2.3:${port}`,
      `localhost:${port}@evil.example`,
      '',
    ];
    for (const host of foreign) {
      const answer = await ask(host);
      expect([host, statusIn(answer)]).toEqual([host, 403]);
      expect(answer).toContain('application/problem+json');
      expect(answer).toContain('"code":"forbidden"');
    }
    expect(seen).toEqual([]);
  });

  it('is what the operator allows: with a port only there, without one at any, a public URL, or all', async () => {
    const { port, status } = await server({
      allowed_hosts: ['scan.example', 'other.example:9'],
      public_url: 'https://public.example',
    });
    expect(await status('scan.example')).toBe(200);
    expect(await status(`scan.example:${port}`)).toBe(200);
    expect(await status('other.example:9')).toBe(200);
    expect(await status(`other.example:${port}`)).toBe(403);
    expect(await status('public.example')).toBe(200);
    const all = await server({ allowed_hosts: ['*'] });
    expect(await all.status('evil.example')).toBe(200);
  });

  it('does not matter to probes of a cluster, which come by any address', async () => {
    const { status } = await server();
    expect(await status('10.1.2.3', [], '/healthz')).toBe(200);
    expect(await status('10.1.2.3', [], '/healthz', 'POST')).toBe(403);
  });

  it('is given once, and in HTTP/1.1 always', async () => {
    const { port } = await server();
    expect(statusIn(await rawHttp(port, ['GET /api/ok HTTP/1.1\r\nConnection: close\r\n\r\n']))).toBe(400);
    const twice = `GET /api/ok HTTP/1.1\r\nHost: localhost:${port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`;
    expect(statusIn(await rawHttp(port, [twice]))).toBe(400);
  });
});

describe('the web page behind a request', () => {
  it('may be of this server; programs have none', async () => {
    const { port, status } = await server();
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      expect(await status(host, [`Origin: http://${host}`])).toBe(200);
    }
  });

  it('is refused when it is a foreign one, also on another port, by another scheme or without a name', async () => {
    const { port, status, seen } = await server();
    const origins = [
      'http://evil.example',
      `http://evil.example:${port}`,
      `http://localhost:${port + 1}`,
      `https://localhost:${port}`,
      `http://127.0.0.1:${port}`,
      'null',
      '',
      'file://',
    ];
    for (const origin of origins) {
      expect([origin, await status(`localhost:${port}`, [`Origin: ${origin}`])]).toEqual([origin, 403]);
    }
    expect(seen).toEqual([]);
  });

  it('may call from where the operator allows it, after the preflight that browsers send first', async () => {
    const origin = 'https://console.example';
    const { port, ask } = await server({ allowed_origins: [origin] });
    const preflight = await ask(
      `localhost:${port}`,
      [`Origin: ${origin}`, 'Access-Control-Request-Method: POST'],
      '/mcp',
      'OPTIONS',
    );
    expect(statusIn(preflight)).toBe(204);
    expect(preflight).toContain(`Access-Control-Allow-Origin: ${origin}\r\n`);
    const allowed = /^Access-Control-Allow-Headers: (.*)$/m.exec(preflight)?.[1]?.trim().split(', ');
    const sent = [
      'Authorization',
      'Idempotency-Key',
      'If-None-Match',
      'If-Range',
      'Last-Event-ID',
      'Mcp-Session-Id',
      'Range',
    ];
    expect(allowed).toEqual(expect.arrayContaining(sent));
    const exposed = /^Access-Control-Expose-Headers: (.*)$/m.exec(preflight)?.[1]?.trim().split(', ');
    const read = [
      'Accept-Ranges',
      'Content-Disposition',
      'Content-Range',
      'ETag',
      'Location',
      'Repr-Digest',
      'Retry-After',
    ];
    expect(exposed).toEqual(expect.arrayContaining(read));
    const answer = await ask(`localhost:${port}`, [`Origin: ${origin}`]);
    expect(answer).toContain(`Access-Control-Allow-Origin: ${origin}\r\n`);
    expect(answer).not.toContain('Access-Control-Allow-Credentials');
    const foreign = await ask(`localhost:${port}`, ['Origin: https://evil.example'], '/mcp', 'OPTIONS');
    expect(statusIn(foreign)).toBe(403);
    expect(foreign).not.toContain('Access-Control-Allow-Origin');
  });
});

describe('every answer', () => {
  it('has headers that keep a browser from making more of it, and does not say what serves it', async () => {
    const { port, ask } = await server();
    for (const path of ['/api/ok', '/nothing']) {
      const answer = await ask(`localhost:${port}`, [], path);
      expect(answer).toContain('X-Content-Type-Options: nosniff\r\n');
      expect(answer).toContain("Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
      expect(answer).toContain('Cache-Control: no-store\r\n');
      expect(answer).toMatch(/X-Trace-Id: [0-9a-f]{32}\r\n/);
      expect(answer).not.toMatch(/x-powered-by|^server:/im);
      expect(answer).not.toContain('Strict-Transport-Security');
    }
    const tls = await server({ public_url: 'https://scan.example' });
    expect(await tls.ask('scan.example')).toContain('Strict-Transport-Security: max-age=');
  });

  it('to an unknown route is a problem with the trace id, and quotes no control characters', async () => {
    const { port, ask } = await server();
    const answer = await ask(`localhost:${port}`, [], '/nothing%0d%0aX-Evil:%201');
    expect(statusIn(answer)).toBe(404);
    expect(answer).not.toMatch(/^X-Evil/m);
    const [, body = ''] = answer.split('\r\n\r\n');
    expect(JSON.parse(body)).toMatchObject({ status: 404, code: 'invalid_request', trace_id: expect.any(String) });
  });

  it('to a badly encoded path is a refusal, not a defect', async () => {
    const { port, status } = await server();
    expect(await status(`localhost:${port}`, [], '/api/%E0%A4%A')).toBe(404);
  });
});

describe('the address of a caller', () => {
  it('is that of the connection: what a client claims is not believed', async () => {
    const { port, ask, seen } = await server();
    await ask(`localhost:${port}`, ['X-Forwarded-For: 203.0.113.9']);
    expect(seen).toEqual(['127.0.0.1']);
  });

  it('is what a trusted proxy says', async () => {
    const { port, ask, seen } = await server({ trust_proxy: ['127.0.0.1'] });
    await ask(`localhost:${port}`, ['X-Forwarded-For: 198.51.100.7, 203.0.113.9']);
    expect(seen).toEqual(['203.0.113.9']);
  });
});

describe('a server that listens where others can reach it', () => {
  it.each(['0.0.0.0', '::', '192.168.1.10', 'scan.example', '[::]', '::ffff:10.0.0.1'])('%s needs keys', (host) => {
    const problem = (over: object) => () =>
      checkExposure({ host, knowsCallers: false, allowAnonymous: false, publicUrl: '', ...over });
    expect(problem({})).toThrow(AppError);
    expect(problem({ allowAnonymous: true, knowsCallers: true })).toThrow(/without a key/);
    expect(problem({ knowsCallers: true })).not.toThrow();
  });

  it.each(['127.0.0.1', '127.8.9.1', '::1', '[::1]', 'localhost', '::ffff:127.0.0.1'])('%s does not', (host) => {
    expect(isLoopback(host)).toBe(true);
    expect(() => checkExposure({ host, knowsCallers: false, allowAnonymous: false, publicUrl: '' })).not.toThrow();
  });

  it('is told that behind a proxy everybody seems to come from here', () => {
    const exposed = { host: '127.0.0.1', knowsCallers: true, allowAnonymous: true };
    expect(() => checkExposure({ ...exposed, publicUrl: 'https://scan.example' })).toThrow(/Behind a proxy/);
    expect(() => checkExposure({ ...exposed, publicUrl: '' })).not.toThrow();
  });

  it('never takes the name of a stranger for loopback', () => {
    for (const host of ['localhost.evil.example', '127.0.0.1.evil.example', '1.127.0.1', '', '::2']) {
      expect([host, isLoopback(host)]).toEqual([host, false]);
    }
  });
});

describe('callers without a key', () => {
  const known = authenticatorOf({ key: callerNamed('key:k') });
  const lenient = anonymousOnLoopback(known);

  it('are let in from this machine alone, as an agent without operator rights', async () => {
    const caller = await lenient.authenticate({ authorization: undefined, remoteAddress: '127.0.0.1' });
    expect(caller).toMatchObject({ tenant: 'local', isOperator: false });
    expect(caller.scopes.has('admin')).toBe(false);
    const far = lenient.authenticate({ authorization: undefined, remoteAddress: '192.168.1.9' });
    await expect(far).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('are not let in by a proxy that does not say who they are', async () => {
    const passedOn = { authorization: undefined, remoteAddress: '127.0.0.1', isForwarded: true };
    await expect(lenient.authenticate(passedOn)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it.each(['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Proto', 'Via'])('%s tells of a proxy', async (name) => {
    const parts = { rest: Router().get('/here', (_request, response) => void response.json('in')) };
    const closing = new AbortController().signal;
    const running = await startHttp({ authenticator: lenient, log: silentLog, closing }, parts);
    onTestFinished(() => running.close());
    expect((await fetch(`${running.url}/api/here`)).status).toBe(200);
    expect((await fetch(`${running.url}/api/here`, { headers: { [name]: '203.0.113.9' } })).status).toBe(401);
  });

  it('must not show a wrong one', async () => {
    const wrong = lenient.authenticate({ authorization: 'Bearer wrong', remoteAddress: '127.0.0.1' });
    await expect(wrong).rejects.toMatchObject({ code: 'unauthenticated' });
    const right = await lenient.authenticate({ authorization: 'Bearer key', remoteAddress: '127.0.0.1' });
    expect(right.name).toBe('key:k');
  });
});
