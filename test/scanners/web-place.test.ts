import { describe, expect, it } from 'vitest';
import { hostOfUrl, shownUrl, withoutLogin } from '../../src/scanners/web-place.ts';

describe('the place of a URL', () => {
  it.each([
    ['https://app.test/x', 'app.test', 443],
    ['http://app.test:8080', 'app.test', 8080],
    ['HTTP://APP.test', 'app.test', 80],
    ['http://[2001:DB8::1]:81/', '2001:db8::1', 81],
    ['http://10.0.0.1/', '10.0.0.1', 80],
    ['http://app.test:99999/', undefined, undefined],
    ['ws://app.test', 'app.test', 80],
    ['app.test:22', undefined, undefined],
    ['file:///etc/passwd', undefined, undefined],
    ['http://', undefined, undefined],
  ])('%s is %s, port %s', (url, host, port) => {
    expect(hostOfUrl(url)).toEqual(host === undefined ? undefined : { host, port });
  });

  it('is what the URL parser of the platform says', () => {
    for (const host of ['app.test', 'a-b.test', 'x.y.z.test', '0x7f.test', '1.2.3.4', 'xn--bcher-kva.test'])
      for (const end of ['', ':8080', ':80', '/a:b@c', '?q=http://other.test', '#f']) {
        const url = `http://${host}${end}`;
        const { hostname, port } = new URL(url);
        expect(hostOfUrl(url)).toEqual({ host: hostname, port: port === '' ? 80 : Number(port) });
      }
  });

  it('is shown without user info', () => {
    expect(shownUrl('https://me:pw@app.test/a@b')).toBe('https://***@app.test/a@b');
    expect(shownUrl('https://app.test/a@b')).toBe('https://app.test/a@b');
  });
});

describe('a request', () => {
  it('is shown without logins', () => {
    const request =
      'GET /?cookie:1 HTTP/1.1\r\nCookie: a=1\r\nAuthorization: Basic x\r\nX-Api-Key: k\r\nAccept: */*\r\n';
    expect(withoutLogin(request)).toBe(
      'GET /?cookie:1 HTTP/1.1\r\nCookie: ***\r\nAuthorization: ***\r\nX-Api-Key: ***\r\nAccept: */*\r\n',
    );
  });

  it('of a hostile sender is cut and takes no longer than any other', () => {
    expect(withoutLogin(`x-${'key'.repeat(1_000_000)}`)).toHaveLength(20_000);
  });
});
