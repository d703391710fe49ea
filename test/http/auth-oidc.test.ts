import { once } from 'node:events';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { OidcSettings } from '../../src/config/settings-auth.ts';
import { AppError } from '../../src/model/errors.ts';
import { authLab, type Lab } from './auth-lab.ts';

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;

/** An issuer on loopback: discovery, and the keys it is told to have. */
async function startIssuer() {
  const state = { keys: new Map<string, Pair>(), isAway: false, fetches: 0, discovery: {} };
  const server = createServer((request, response) => {
    void answer(request.url ?? '').then(
      (body) => response.end(JSON.stringify(body)),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  async function answer(path: string): Promise<unknown> {
    state.fetches += 1;
    if (state.isAway) throw new Error('away');
    if (path === '/.well-known/openid-configuration')
      return { issuer: url, jwks_uri: `${url}/keys`, ...state.discovery };
    const keys = [...state.keys].map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid }));
    return { keys: await Promise.all(keys) };
  }
  return { url, state, close: () => server.close() };
}

let issuer: Awaited<ReturnType<typeof startIssuer>>;
let own: Pair;
let stranger: Pair;
beforeAll(async () => {
  issuer = await startIssuer();
  own = await generateKeyPair('RS256', { extractable: true });
  stranger = await generateKeyPair('RS256');
  issuer.state.keys.set('k1', own);
});
afterAll(() => issuer.close());

const lab = (over: Partial<OidcSettings> = {}): Lab =>
  authLab({}, { recheckMs: 5, oidcKeys: { issuer: issuer.url, audience: ['scanmux'], ...over } });

/** A token as the issuer makes it at the clock of the lab, unless told otherwise. */
function token(
  { clock }: Lab,
  claims: Readonly<Record<string, unknown>> = {},
  {
    kid = 'k1',
    key = own.privateKey,
    lifeSeconds = 60,
  }: { kid?: string; key?: Pair['privateKey']; lifeSeconds?: number } = {},
): Promise<string> {
  const now = Math.floor(clock.now() / 1_000);
  const full = {
    iss: issuer.url,
    aud: 'scanmux',
    sub: 'ann',
    exp: now + lifeSeconds,
    tenant: 'acme',
    scope: 'scan:read',
    ...claims,
  };
  return new SignJWT(full).setProtectedHeader({ alg: 'RS256', kid }).sign(key);
}

const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'let in',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

describe('a token of the issuer', () => {
  it('says tenant, name and scopes; scopes of others mean nothing', async () => {
    const own = lab();
    const good = await token(own, { scope: 'openid scan:read scan:run nessus:admin' });
    expect(await own.as(`Bearer ${good}`)).toEqual({
      tenant: 'acme',
      name: 'oidc:ann',
      isOperator: false,
      scopes: new Set(['scan:read', 'scan:run']),
    });
  });

  it('may have its claims elsewhere, and scopes as a list with a prefix', async () => {
    const own = lab({ tenant_claim: 'org.id', scope_claim: 'https://x.test/roles', scope_prefix: 'smx:' });
    const good = await token(own, { org: { id: 'blue' }, 'https://x.test/roles': ['smx:admin', 'scan:run', 7] });
    expect(await own.as(`Bearer ${good}`)).toMatchObject({
      tenant: 'blue',
      isOperator: true,
      scopes: new Set(['admin']),
    });
  });

  it('of nobody in particular has the tenant the operator gave such tokens, or none', async () => {
    const bare = { tenant: undefined };
    const own = lab();
    expect(await codeOf(own.as(`Bearer ${await token(own, bare)}`))).toBe('unauthenticated');
    const lenient = lab({ default_tenant: 'guests' });
    expect(await lenient.as(`Bearer ${await token(lenient, bare)}`)).toMatchObject({ tenant: 'guests' });
    for (const tenant of ['*', '', 'a b', 7, ['acme'], { toString: 'acme' }, 'x'.repeat(64)])
      expect(await codeOf(lenient.as(`Bearer ${await token(lenient, { tenant })}`))).toBe('unauthenticated');
  });

  it.each<[string, (lab: Lab) => Promise<string>]>([
    ['it has expired', (own) => token(own, {}, { lifeSeconds: -31 })],
    ['it never expires', (own) => token(own, { exp: undefined })],
    ['it is not valid yet', (own) => token(own, { nbf: Math.floor(own.clock.now() / 1_000) + 60 })],
    ['it is for another service', (own) => token(own, { aud: 'mail' })],
    ['it is for nobody', (own) => token(own, { aud: undefined })],
    ['it is of another issuer', (own) => token(own, { iss: 'https://other.test' })],
    ['it is of an issuer that only begins so', (own) => token(own, { iss: `${issuer.url}/` })],
    ['it names nobody', (own) => token(own, { sub: undefined })],
    ['its key is unknown', (own) => token(own, {}, { kid: 'k9' })],
    ['it is signed by somebody else', (own) => token(own, {}, { key: stranger.privateKey })],
    ['it is not signed', async (own) => unsigned(own)],
    ['it is signed with the public key as a secret', (own) => confused(own)],
    ['it was changed', async (own) => changed(await token(own))],
    ['it is very long', async (own) => token(own, { pad: 'x'.repeat(20_000) })],
    ['it is no token', async () => 'a.b.c'],
  ])('is refused when %s', async (_, make) => {
    const own = lab();
    expect(await codeOf(own.as(`Bearer ${await make(own)}`))).toBe('unauthenticated');
    expect(own.audited).toHaveLength(1);
  });

  const unsigned = ({ clock }: Lab): string =>
    new UnsecuredJWT({ iss: issuer.url, aud: 'scanmux', sub: 'ann', tenant: 'acme', scope: 'admin' })
      .setExpirationTime(Math.floor(clock.now() / 1_000) + 60)
      .encode();

  const confused = async ({ clock }: Lab): Promise<string> =>
    new SignJWT({ iss: issuer.url, aud: 'scanmux', sub: 'ann', tenant: 'acme', scope: 'admin' })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .setExpirationTime(Math.floor(clock.now() / 1_000) + 60)
      .sign(new TextEncoder().encode(await exportSPKI(own.publicKey)));

  function changed(good: string): string {
    const [head, , signature] = good.split('.');
    const claims = { iss: issuer.url, aud: 'scanmux', sub: 'root', tenant: 'acme', scope: 'admin', exp: 9e9 };
    return [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
  }

  it('may be a little late for a clock that differs', async () => {
    const own = lab();
    expect(await own.as(`Bearer ${await token(own, {}, { lifeSeconds: -29 })}`)).toMatchObject({ tenant: 'acme' });
  });

  it('made with a new key is good as soon as the issuer shows the key, if it was not asked a moment ago', async () => {
    const own = lab();
    const next = await generateKeyPair('RS256');
    issuer.state.keys.set('k2', next);
    try {
      expect(await codeOf(own.as(`Bearer ${await token(own, {}, { kid: 'k2', key: next.privateKey })}`))).toBe(
        'let in',
      );
    } finally {
      issuer.state.keys.delete('k2');
    }
  });
});

describe('an issuer that is away', () => {
  it('is unavailable, not a refusal; and is not asked with every token', async () => {
    const own = lab();
    const good = await token(own);
    issuer.state.isAway = true;
    try {
      const before = issuer.state.fetches;
      for (let attempt = 0; attempt < 20; attempt += 1)
        await expect(own.as(`Bearer ${good}`)).rejects.toMatchObject({
          code: 'issuer_unavailable',
          retryAfterSeconds: 5,
        });
      expect(issuer.state.fetches - before).toBe(1);
      expect(own.audited).toEqual([]);
    } finally {
      issuer.state.isAway = false;
    }
    own.clock.advance(5_000);
    expect(await own.as(`Bearer ${await token(own)}`)).toMatchObject({ tenant: 'acme' });
  });

  it('leaves those in whose key is known', async () => {
    const own = lab();
    await own.as(`Bearer ${await token(own)}`);
    issuer.state.isAway = true;
    try {
      expect(await own.as(`Bearer ${await token(own)}`)).toMatchObject({ tenant: 'acme' });
    } finally {
      issuer.state.isAway = false;
    }
  });

  it('whose document speaks for another issuer is not believed', async () => {
    issuer.state.discovery = { issuer: 'https://other.test' };
    try {
      const own = lab();
      expect(await codeOf(own.as(`Bearer ${await token(own)}`))).toBe('issuer_unavailable');
    } finally {
      issuer.state.discovery = {};
    }
  });

  it('does not matter to API keys', async () => {
    const own = lab({ issuer: 'http://127.0.0.1:9' });
    expect(await own.as(`Bearer ${own.makeKey().text}`)).toMatchObject({ tenant: 'acme' });
  });
});

describe('what was opened with a token', () => {
  const opened = ({ authenticator }: Lab, token: string): ServerResponse => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const entered = authenticator.standing?.enter(`Bearer ${token}`, response);
    onTestFinished(() => void entered?.delete(response));
    return response;
  };
  const cutOff = (response: ServerResponse, meanwhile?: () => void) =>
    expect
      .poll(
        () => {
          meanwhile?.();
          return response.destroyed;
        },
        { interval: 5, timeout: 20_000 },
      )
      .toBe(true);

  it('ends with the token, and what was opened with a newer one of the same person goes on', async () => {
    const own = lab();
    const [first, newer] = [await token(own), await token(own, {}, { lifeSeconds: 600 })];
    const [old, later] = [opened(own, first), opened(own, newer)];
    own.clock.advance(60_000 + 29_000);
    expect(await codeOf(own.as(`Bearer ${first}`))).toBe('let in');
    expect(old.destroyed).toBe(false);
    own.clock.advance(1_000);
    await cutOff(old);
    expect(later.destroyed).toBe(false);
    expect(own.audited).toEqual([]);
  });

  it('goes on while the keys of the issuer cannot be read', async () => {
    const own = lab();
    issuer.state.isAway = true;
    try {
      const open = opened(own, await token(own, {}, { lifeSeconds: -60 }));
      const before = issuer.state.fetches;
      const fetches = (): number => {
        // An issuer that failed is left alone for five seconds.
        own.clock.advance(5_000);
        return issuer.state.fetches - before;
      };
      await expect.poll(fetches, { interval: 5, timeout: 20_000 }).toBeGreaterThan(2);
      expect(open.destroyed).toBe(false);
      issuer.state.isAway = false;
      await cutOff(open, () => own.clock.advance(5_000));
    } finally {
      issuer.state.isAway = false;
    }
  });
});

describe('settings of an issuer', () => {
  it.each([
    ['no audience', { issuer: 'https://id.test' }],
    ['plain HTTP', { issuer: 'http://id.test', audience: ['x'] }],
    ['a login in its address', { issuer: 'https://u:p@id.test', audience: ['x'] }],
    ['a shared secret', { issuer: 'https://id.test', audience: ['x'], algorithms: ['HS256'] }],
    ['no signature', { issuer: 'https://id.test', audience: ['x'], algorithms: ['none'] }],
  ])('are refused with %s', (_, written) => {
    expect(OidcSettings.safeParse(written).success).toBe(false);
  });
});
