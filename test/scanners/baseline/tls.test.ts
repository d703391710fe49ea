import { readFileSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { portOf } from '../../contracts/hostile-servers.ts';
import { loopbackPort } from '../../contracts/scanner-contract.ts';
import { startWeakWeb } from '../../../src/simulators/weak-web.ts';
import { look, namedPort, urlTarget } from './look.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/baseline-tls/${name}`, import.meta.url), 'utf8');
const pair = (name: string) => ({ cert: fixture(`${name}.pem`), key: fixture(`${name}.key`) });
const ANY_STRENGTH = { ciphers: 'ALL:eNULL:@SECLEVEL=0' };

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(server: Server): Promise<number> {
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => socket.on('error', () => undefined));
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve(portOf(server.address()))),
  );
  closers.push(() => new Promise((resolve) => server.close(() => resolve())));
  return port;
}

/** A TLS service that is no web server. */
const serveTls = (options: TlsOptions): Promise<number> =>
  start(
    createServer(options, (socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('* OK ready\r\n'),
    ),
  );

const serveHttps = (options: TlsOptions, headers: Record<string, string> = {}): Promise<number> =>
  start(createHttps(options, (_, response) => response.writeHead(200, headers).end('<html>hello</html>')));

const at = (iso: string) => ({ clock: { now: () => Date.parse(iso), monotonic: () => performance.now() } });
const tlsRules = (rules: readonly string[]): string[] => rules.filter((rule) => rule.startsWith('tls-'));

describe('the baseline engine looks at TLS', () => {
  it('finds only the unknown authority on a sound service', async () => {
    const port = await serveTls({ ...pair('good'), minVersion: 'TLSv1.2' });
    const { rules, places, lookedFor } = await look([namedPort('app.test', port)]);
    expect(tlsRules(rules)).toEqual(['tls-cert-untrusted-chain']);
    expect(places).toEqual([{ place: `app.test:${port}`, status: 'tested' }]);
    expect(lookedFor).toContain('TLS versions and certificates');
  });

  it('accepts the address among the alternative names when an address was asked for', async () => {
    const port = await serveTls(pair('good'));
    expect((await look([loopbackPort(port)])).rules).not.toContain('tls-cert-name-mismatch');
  });

  it('judges the name that was asked for, not the address behind it', async () => {
    const port = await serveTls(pair('good'));
    expect((await look([namedPort('elsewhere.test', port)])).rules).toContain('tls-cert-name-mismatch');
  });

  it.each([
    ['2023-12-31T00:00:00Z', 'tls-cert-not-yet-valid'],
    ['2123-12-10T00:00:00Z', 'tls-cert-expires-in-30-days'],
    ['2123-12-28T00:00:00Z', 'tls-cert-expires-in-7-days'],
    ['2124-02-01T00:00:00Z', 'tls-cert-expired'],
  ])('at %s reports %s, and no other word on dates', async (now, rule) => {
    const port = await serveTls(pair('good'));
    const { rules } = await look([loopbackPort(port)], {}, at(now));
    expect(rules.filter((name) => /expire|not-yet/.test(name))).toEqual([rule]);
  });

  it('reports a certificate that has really expired', async () => {
    const port = await serveTls(pair('expired'));
    expect((await look([loopbackPort(port)])).rules).toContain('tls-cert-expired');
  });

  it('tells a self-signed certificate from one of an unknown authority', async () => {
    const port = await serveTls(pair('selfsigned'));
    expect(tlsRules((await look([namedPort('other.test', port)])).rules)).toEqual(['tls-cert-self-signed']);
  });

  it('reports a short key and a SHA-1 signature', async () => {
    const port = await serveTls({ ...pair('weak'), ...ANY_STRENGTH });
    const { rules } = await look([loopbackPort(port)]);
    expect(rules).toEqual(expect.arrayContaining(['tls-cert-weak-key', 'tls-cert-weak-signature']));
  });

  it('reports old versions one by one', async () => {
    const port = await serveTls({ ...pair('good'), ...ANY_STRENGTH, minVersion: 'TLSv1', maxVersion: 'TLSv1.2' });
    const { rules } = await look([loopbackPort(port)]);
    expect(rules).toEqual(expect.arrayContaining(['tls-1.0-offered', 'tls-1.1-offered', 'tls-weak-cipher']));
    expect(rules).not.toContain('tls-1.2-missing');
  });

  it('reports a service that speaks only what is forbidden', async () => {
    const port = await serveTls({ ...pair('good'), ...ANY_STRENGTH, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' });
    const { rules } = await look([loopbackPort(port)]);
    expect(rules).toEqual(expect.arrayContaining(['tls-1.1-offered', 'tls-1.2-missing']));
    expect(rules).not.toContain('tls-1.0-offered');
  });

  it('looks at the web server behind TLS, where cookies must be Secure and names need HSTS', async () => {
    const port = await serveHttps(pair('good'), { 'set-cookie': 'id=1', 'content-type': 'text/html' });
    const { rules, findings } = await look([urlTarget(`https://app.test:${port}/`)]);
    expect(rules).toEqual(expect.arrayContaining(['http-cookie-not-secure', 'http-no-hsts', 'http-no-csp']));
    expect(findings.find(({ rule_id }) => rule_id === 'baseline:http-no-hsts')?.location).toMatchObject({
      host: 'app.test',
      ip: '127.0.0.1',
      url: `https://app.test:${port}/`,
    });
  });

  it('asks for HSTS of names only, and not where it is set', async () => {
    const bare = await serveHttps(pair('good'));
    expect((await look([urlTarget(`https://127.0.0.1:${bare}/`)])).rules).not.toContain('http-no-hsts');
    const set = await serveHttps(pair('good'), { 'strict-transport-security': 'max-age=31536000' });
    expect((await look([urlTarget(`https://app.test:${set}/`)])).rules).not.toContain('http-no-hsts');
  });

  it('wants a redirect on loopback only where the same host offers HTTPS too', async () => {
    const web = await startWeakWeb();
    closers.push(() => web.close());
    const secure = await serveHttps(pair('good'));
    const host = (ports: readonly number[]) =>
      look([{ target: { kind: 'address', text: '127.0.0.1', address: '127.0.0.1' }, addresses: ['127.0.0.1'] }], {
        ports: ports.join(','),
      });
    expect((await host([web.port])).rules).not.toContain('http-no-https-redirect');
    expect((await host([web.port, secure])).rules).toContain('http-no-https-redirect');
  });

  it('calls an https URL partial when the port does not speak TLS', async () => {
    const web = await startWeakWeb();
    closers.push(() => web.close());
    const { places } = await look([urlTarget(`https://127.0.0.1:${web.port}/`)]);
    expect(places[0]).toMatchObject({ status: 'partial', reason: expect.stringMatching(/did not answer with TLS/) });
  });
});
