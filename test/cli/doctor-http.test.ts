import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { examineHttp } from '../../src/cli/doctor/http.ts';
import { Settings } from '../../src/config/settings.ts';
import type { ApiKey } from '../../src/queue/api-keys.ts';

const key = (over: Partial<ApiKey> = {}): ApiKey => ({
  prefix: 'smx_a',
  sha256: '',
  tenant: 'local',
  name: 'a',
  scopes: [],
  createdAt: 0,
  ...over,
});
const keys = {
  list: async () => [key(), key({ revokedAt: 1 }), key({ expiresAt: 1 }), key({ expiresAt: Date.now() + 60_000 })],
};
const partsOf = (settings: object) => ({ settings: Settings.parse(settings), keys });

/** An issuer on loopback; `{}` as its document is a wrong one. */
async function startIssuer(isRight: boolean): Promise<string> {
  const server = createServer(({ url }, response) => {
    const issuer = `http://127.0.0.1:${port}`;
    const document = isRight ? { issuer, jwks_uri: `${issuer}/keys` } : {};
    response.end(JSON.stringify(url === '/keys' ? { keys: [] } : document));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return `http://127.0.0.1:${port}`;
}

it('tells the address and how many keys hold', async () => {
  expect(await examineHttp(partsOf({}))).toEqual([
    {
      level: 'ok',
      subject: 'http',
      said: 'scanmux serve listens on 127.0.0.1:8765; no public_url; 2 API keys hold; no OIDC issuer',
    },
  ]);
  const [line] = await examineHttp(partsOf({ http: { host: '::1', public_url: 'https://scan.example.org' } }));
  expect(line?.said).toMatch(/on \[::1\]:8765; reached at https:\/\/scan\.example\.org;/);
});

it('asks the issuer', async () => {
  const oidc = async (isRight: boolean) => ({ issuer: await startIssuer(isRight), audience: ['scanmux'] });
  expect(await examineHttp(partsOf({ oidc: await oidc(true) }))).toMatchObject([
    { level: 'ok', said: expect.stringMatching(/tokens of http:.*, which answers$/) },
  ]);
  expect(await examineHttp(partsOf({ oidc: await oidc(false) }))).toMatchObject([
    { level: 'warn', said: expect.stringContaining('gives no keys'), fix: expect.stringContaining('oidc.issuer') },
  ]);
});
