import { once } from 'node:events';
import { createServer } from 'node:http';
import express, { type ErrorRequestHandler } from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OidcSettings } from '../../src/config/settings-auth.ts';
import { askOf } from '../../src/http/ask.ts';
import { placeOf } from '../../src/http/auth/refused-logins.ts';
import { createChallenge, createResourceMetadataRouter } from '../../src/http/auth/resource-metadata.ts';
import { requireCaller } from '../../src/http/authentication.ts';
import { sendProblem } from '../../src/http/problem.ts';
import { newApiKey } from '../../src/model/api-key.ts';
import { AppError } from '../../src/model/errors.ts';
import { authLab } from './auth-lab.ts';

const codeOf = async (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'let in',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

describe('an API key', () => {
  it('says tenant, name and scopes', async () => {
    const lab = authLab();
    const { text, prefix } = lab.makeKey({ scopes: ['scan:read', 'credential:use'] });
    expect(await lab.as(`Bearer ${text}`)).toEqual({
      tenant: 'acme',
      name: `key:${prefix}`,
      isOperator: false,
      scopes: new Set(['scan:read', 'credential:use']),
    });
    expect(await lab.as(`bearer  ${text} `)).toMatchObject({ tenant: 'acme' });
    expect(await lab.as(`Bearer ${lab.makeKey({ scopes: ['admin'] }).text}`)).toMatchObject({ isOperator: true });
  });

  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['no token', 'Bearer '],
    ['two tokens', 'Bearer a b'],
    ['a mistyped one', `Bearer ${newApiKey().text.slice(0, -1)}`],
    ['an unknown one', `Bearer ${newApiKey().text}`],
    ['what might be a token', 'Bearer eyJhbGciOiJub25lIn0.e30.'],
    ['a line break', 'Bearer a\r\nb'],
  ])('is refused when it is %s', async (_, authorization) => {
    expect(await codeOf(authLab().as(authorization))).toBe('unauthenticated');
  });

  it('ends at its expiry, to the millisecond', async () => {
    const lab = authLab();
    const { text } = lab.makeKey({ expiresAt: lab.clock.now() + 500 });
    expect(await lab.as(`Bearer ${text}`)).toMatchObject({ tenant: 'acme' });
    lab.clock.advance(499);
    expect(await lab.as(`Bearer ${text}`)).toMatchObject({ tenant: 'acme' });
    lab.clock.advance(1);
    await expect(lab.as(`Bearer ${text}`)).rejects.toMatchObject({ code: 'unauthenticated', message: /expired/ });
  });

  it('ends within a second of its revocation, and is not asked for with every request', async () => {
    const lab = authLab();
    const { text, prefix } = lab.makeKey();
    await lab.as(`Bearer ${text}`);
    await lab.as(`Bearer ${text}`);
    expect(lab.asked.count).toBe(1);
    for (const [hash, key] of lab.stored) lab.stored.set(hash, { ...key, revokedAt: lab.clock.now() });
    lab.clock.advance(1_000);
    await expect(lab.as(`Bearer ${text}`)).rejects.toMatchObject({
      code: 'unauthenticated',
      message: `The key ${prefix} was revoked.`,
    });
  });

  it('is nowhere in an error or in the audit log', async () => {
    const lab = authLab();
    const { text, prefix } = newApiKey();
    const error: unknown = await lab.as(`Bearer ${text}`).catch((refused: unknown) => refused);
    expect(lab.audited).toEqual([
      {
        caller: { tenant: '-', name: 'address:192.0.2.1' },
        action: 'login_refused',
        decision: 'unauthenticated',
        detail: { address: '192.0.2.1', why: 'There is no such key.', key: prefix },
      },
    ]);
    expect(`${JSON.stringify(lab.audited)} ${String(error)} ${JSON.stringify(error)}`).not.toContain(text.slice(14));
  });

  it('is not mistaken for a refusal when the store is away', async () => {
    const keys = {
      add: () => Promise.reject(new Error()),
      find: () => Promise.reject(new AppError('queue_unavailable', 'away')),
      list: () => Promise.resolve([]),
      revoke: () => Promise.resolve(false),
    };
    const lab = authLab({}, { keys });
    expect(await codeOf(lab.as(`Bearer ${newApiKey().text}`))).toBe('queue_unavailable');
    expect(lab.audited).toEqual([]);
  });
});

describe('who guesses', () => {
  const guess = () => `Bearer ${newApiKey().text}`;

  it('must wait, by address, and is told how long', async () => {
    const lab = authLab({ failed_logins_per_minute: 6 });
    for (let attempt = 0; attempt < 6; attempt += 1) expect(await codeOf(lab.as(guess()))).toBe('unauthenticated');
    const asked = lab.asked.count;
    await expect(lab.as(guess())).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 10 });
    expect(lab.asked.count).toBe(asked);
    expect(await codeOf(lab.as(guess(), '192.0.2.2'))).toBe('unauthenticated');
    lab.clock.advance(10_000);
    expect(await codeOf(lab.as(guess()))).toBe('unauthenticated');
    expect(await codeOf(lab.as(guess()))).toBe('rate_limited');
  });

  it('does not lock out a key that was good before from the same address', async () => {
    const lab = authLab({ failed_logins_per_minute: 1 });
    const { text } = lab.makeKey();
    await lab.as(`Bearer ${text}`);
    await codeOf(lab.as(guess()));
    expect(await codeOf(lab.as(guess()))).toBe('rate_limited');
    expect(await lab.as(`Bearer ${text}`)).toMatchObject({ tenant: 'acme' });
  });

  it('with a key that was good once, but is no more, is not let off', async () => {
    const lab = authLab({ failed_logins_per_minute: 1 });
    const { text } = lab.makeKey({ expiresAt: lab.clock.now() + 1 });
    await lab.as(`Bearer ${text}`);
    lab.clock.advance(1);
    expect(await codeOf(lab.as(`Bearer ${text}`))).toBe('unauthenticated');
    expect(await codeOf(lab.as(`Bearer ${text}`))).toBe('rate_limited');
  });

  it('does not fill the audit log from many addresses, and what is left out is counted', async () => {
    const lab = authLab();
    for (let index = 0; index < 100; index += 1) await codeOf(lab.as(guess(), `198.51.100.${index}`));
    expect(lab.audited).toHaveLength(60);
    lab.clock.advance(60_000);
    await codeOf(lab.as(guess()));
    expect(lab.audited.at(-1)?.detail).toMatchObject({ not_written: 40 });
  });

  it('is one place with a whole /64, and an IPv4 address however it is written', () => {
    expect(placeOf('2001:db8:1:2::1')).toBe(placeOf('2001:db8:1:2:ffff::9'));
    expect(placeOf('2001:db8:1:2::1')).not.toBe(placeOf('2001:db8:1:3::1'));
    expect(placeOf('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(placeOf('::1')).toBe('0:0:0:0');
    expect(placeOf('fe80::1%eth0')).toBe(placeOf('fe80::2'));
  });
});

describe('requests of one caller', () => {
  it('are limited per key, with the time to wait, and of no other', async () => {
    const lab = authLab({ requests_per_minute: 60 });
    const [busy, quiet] = [lab.makeKey().text, lab.makeKey().text];
    for (let request = 0; request < 60; request += 1) await lab.as(`Bearer ${busy}`);
    await expect(lab.as(`Bearer ${busy}`)).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 1 });
    expect(await lab.as(`Bearer ${quiet}`)).toMatchObject({ tenant: 'acme' });
    lab.clock.advance(1_000);
    expect(await codeOf(lab.as(`Bearer ${busy}`))).toBe('let in');
    expect(await codeOf(lab.as(`Bearer ${busy}`))).toBe('rate_limited');
  });

  it('are not limited with 0', async () => {
    const lab = authLab({ requests_per_minute: 0 });
    const { text } = lab.makeKey();
    for (let request = 0; request < 10_000; request += 1) await lab.as(`Bearer ${text}`);
  });
});

describe('over HTTP', () => {
  const oidc = OidcSettings.parse({ issuer: 'https://id.test', audience: ['scanmux'], scope_prefix: 'smx:' });

  async function served(settings: OidcSettings, publicUrl = '') {
    const lab = authLab();
    const options = { oidc: settings, publicUrl };
    const challenge = createChallenge(options);
    const onError: ErrorRequestHandler = (error: unknown, request, response, _next) =>
      sendProblem(response, error, { traceId: 't', challenge: challenge(request) });
    const app = express();
    app.use(createResourceMetadataRouter(options));
    app.use(
      requireCaller({
        closing: new AbortController().signal,
        authenticator: lab.authenticator,
      }),
    );
    app.get(/.*/, (request, response) => void response.json({ tenant: askOf(request).caller.tenant }));
    app.use(onError);
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    return { lab, url: `http://127.0.0.1:${port}` };
  }

  it('a 401 leads to the document about the resource, and that to the issuer (RFC 9728)', async () => {
    const { url } = await served(oidc);
    for (const path of ['', '/mcp']) {
      const refused = await fetch(`${url}${path}`);
      expect(refused.status).toBe(401);
      const [, metadata = ''] = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '') ?? [];
      expect(metadata).toBe(`${url}/.well-known/oauth-protected-resource${path}`);
      const document = await fetch(metadata);
      expect(document.status).toBe(200);
      expect(await document.json()).toMatchObject({
        resource: `${url}${path}`,
        authorization_servers: ['https://id.test'],
        scopes_supported: expect.arrayContaining(['smx:scan:read', 'smx:admin']),
      });
    }
  });

  it('the document has the address clients see, not the one behind the proxy', async () => {
    const { url } = await served(oidc, 'https://scanmux.example.com');
    const document: unknown = await (await fetch(`${url}/.well-known/oauth-protected-resource/mcp`)).json();
    expect(document).toMatchObject({ resource: 'https://scanmux.example.com/mcp' });
  });

  it('without an issuer there is no such document, and the challenge names none', async () => {
    const { url } = await served(OidcSettings.parse({}));
    const refused = await fetch(`${url}/.well-known/oauth-protected-resource`);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="scanmux"');
  });

  it('a key opens', async () => {
    const { lab, url } = await served(oidc);
    const headers = { authorization: `Bearer ${lab.makeKey().text}` };
    expect(await (await fetch(url, { headers })).json()).toEqual({ tenant: 'acme' });
  });
});
