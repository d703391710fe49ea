import fc from 'fast-check';
import { BlockList } from 'node:net';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { formatAddress, type Address } from '../../src/policy/address.ts';
import { addressesOf, parseTarget, sizeOf } from '../../src/policy/target.ts';

function refusal(text: string): AppError {
  try {
    parseTarget(text);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(text)} was accepted as ${parseTarget(text).text}`);
}

describe('parseTarget', () => {
  it.each([
    ['10.0.0.1', 'address', '10.0.0.1'],
    ['::1', 'address', '::1'],
    ['2001:DB8:0:0:0:0:0:1', 'address', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', 'address', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', 'address', '1:0:0:2::3'],
    ['::', 'address', '::'],
    ['1::', 'address', '1::'],
    ['::ffff:127.0.0.1', 'address', '127.0.0.1'],
    ['::ffff:7f00:1', 'address', '127.0.0.1'],
    ['64:ff9b::127.0.0.1', 'address', '64:ff9b::7f00:1'],
    ['10.1.2.3/24', 'network', '10.1.2.0/24'],
    ['10.1.2.3/32', 'address', '10.1.2.3'],
    ['0.0.0.0/0', 'network', '0.0.0.0/0'],
    ['2001:db8::1/126', 'network', '2001:db8::/126'],
    ['::ffff:10.1.2.3/120', 'network', '10.1.2.0/24'],
    ['::ffff:10.1.2.3/80', 'network', '::/80'],
    ['10.0.0.1-10.0.0.20', 'network', '10.0.0.1-10.0.0.20'],
    ['10.0.0.1-10.0.0.1', 'address', '10.0.0.1'],
    ['::1-::4', 'network', '::1-::4'],
    ['1.2.3.4:80', 'address', '1.2.3.4:80'],
    ['[::1]:8080', 'address', '[::1]:8080'],
    ['[::ffff:1.2.3.4]:80', 'address', '1.2.3.4:80'],
    ['[::1]', 'address', '::1'],
    ['Example.COM', 'host', 'example.com'],
    ['localhost:3000', 'host', 'localhost:3000'],
    ['my-host-1.corp', 'host', 'my-host-1.corp'],
    ['My_App:8080', 'host', 'my_app:8080'],
    ['_dmarc.example.com', 'host', '_dmarc.example.com'],
    ['http://Log_App:3000/x', 'url', 'http://log_app:3000/x'],
    ['1und1.de', 'host', '1und1.de'],
    ['bücher.example', 'host', 'xn--bcher-kva.example'],
    ['HTTP://Example.com', 'url', 'http://example.com/'],
    ['https://example.com:443/a/../b?q=1#part', 'url', 'https://example.com/b?q=1'],
    ['http://[::FFFF:127.0.0.1]:8080/x', 'url', 'http://127.0.0.1:8080/x'],
    ['http://[2001:DB8::1]/', 'url', 'http://[2001:db8::1]/'],
  ])('reads %s as %s %s', (text, kind, canonical) => {
    expect(parseTarget(text)).toMatchObject({ kind, text: canonical });
    expect(parseTarget(canonical)).toEqual(parseTarget(text));
  });

  it.each([
    ['', /empty/],
    ['-iL/etc/passwd', /dash/],
    ['10.0.0.1,10.0.0.2', /comma/],
    ['http://example.com/a,b', /comma/],
    ['10.0.0.1 10.0.0.2', /white space/],
    [' 10.0.0.1', /white space/],
    ['10.0.0.1\n', /control/],
    ['10.0.0.1\u0000', /control/],
    ['exa\u200Bmple.com', /invisible/],
    ['127.0.0.1.', /dot/],
    ['example.com.', /dot/],
    ['0177.0.0.1', /unusual spelling/],
    ['127.0.0.08', /number/],
    ['127.1', /browsers read 127\.0\.0\.1/],
    ['2130706433', /browsers read 127\.0\.0\.1/],
    ['0x7f000001', /browsers read 127\.0\.0\.1/],
    ['0x7f.1', /browsers read 127\.0\.0\.1/],
    ['017700000001', /browsers read 127\.0\.0\.1/],
    ['4294967297', /number/],
    ['0', /browsers read 0\.0\.0\.0/],
    ['1.2.3.4.5', /number/],
    ['example.123', /number/],
    ['１２７.0.0.1', /look-alike/],
    ['①27.0.0.1', /look-alike/],
    ['127。0。0。1', /look-alike/],
    ['ⓛocalhost', /look-alike/],
    ['fe80::1%lo', /zone/],
    ['[fe80::1%lo]:80', /zone/],
    ['user@example.com', /user info/],
    ['http://user:secret@example.com/', /user info/],
    ['http://example.com@127.0.0.1/', /user info/],
    ['127.0.0.*', /expanded/],
    ['10.0.0.1-5', /expanded/],
    ['10.0.0-255.1', /expanded/],
    ['10.0.0.20-10.0.0.1', /ends before/],
    ['10.0.0.1-::1', /one family/],
    ['10.0.0.0/33', /0 to 32/],
    ['10.0.0.0/08', /0 to 32/],
    ['::1/129', /0 to 128/],
    ['10.0.0.0/255.255.255.0', /netmask/],
    ['example.com/24', /prefix length/],
    ['1.2.3.4:0', /port/],
    ['1.2.3.4:65536', /port/],
    ['1.2.3.4:080', /port/],
    ['example.com:', /port/],
    ['example.com:80:81', /host:port|port/],
    ['[1.2.3.4]:80', /brackets/],
    ['::1]:80', /brackets|host:port/],
    ['-_a.example', /dash/],
    ['a_-.example', /hyphen/],
    ['a_b,c_d', /comma/],
    ['1_1.0.0.0x7f', /unusual spelling|number/],
    ['-a.example', /dash/],
    ['a-.example', /hyphen/],
    ['a..example', /empty label/],
    [`${'a'.repeat(64)}.example`, /63/],
    [`${'abcdefg.'.repeat(32)}example`, /253/],
    ['xn--.example', /internationalised/],
    ['ftp://example.com/', /only http/],
    ['file:///etc/passwd', /only http/],
    ['http://', /no host/],
    ['http:///path', /no host/],
    ['http://0x7f.1/', /unusual spelling/],
    ['http://127.1:80/', /unusual spelling/],
    ['http://127.0.0.1./', /dot/],
    ['http://①27.0.0.1/', /look-alike/],
    ['http://%31%32%37.0.0.1/', /percent/],
    ['http:\\\\127.0.0.1\\', /./],
    ['http://example.com\\@127.0.0.1/', /user info|backslash/],
    ['http://example.com:0/', /port/],
    ['http://example.com/"x', /percent-encode/],
    [`http://example.com/${'a'.repeat(2_000)}`, /2000/],
    [`http://example.com/${'ü'.repeat(1_900)}`, /encoded/],
  ])('refuses %j, saying why', (text, reason) => {
    const error = refusal(text);
    expect(error.code).toBe('target_invalid');
    expect(error.message).toMatch(reason);
    expect(error.targets).toHaveLength(1);
  });

  it.each([
    ['127.0.0.*', '127.0.0.0/24'],
    ['10.0.0.1-5', '10.0.0.1-10.0.0.5'],
    ['example.com.', 'example.com'],
    [' 10.0.0.1', '10.0.0.1'],
    ['10.0.0.20-10.0.0.1', '10.0.0.1-10.0.0.20'],
  ])('names for %j the spelling %s that is accepted', (text, better) => {
    expect(refusal(text).hint).toContain(`Write ${better} instead`);
    expect(() => parseTarget(better)).not.toThrow();
  });

  it('shows no user info in the error, which may be a password', () => {
    const error = refusal('http://root:secret@example.com/');
    expect(`${error.message} ${error.targets?.join(' ')}`).not.toContain('secret');
    expect(error.targets).toEqual(['http://***@example.com/']);
  });

  it('has control characters escaped in its message, so that a log or terminal does not act on them', () => {
    expect(refusal('10.0.0.1\u001b[2J').message).not.toMatch(/\p{Cc}/u);
  });
});

describe('sizes and enumeration', () => {
  it('counts a /8 and an IPv6 /64 without walking them', () => {
    expect(sizeOf(parseTarget('10.0.0.0/8'))).toBe(16_777_216);
    expect(sizeOf(parseTarget('2001:db8::/64'))).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('walks a range over an octet border in order', () => {
    expect([...addressesOf(parseTarget('10.0.0.254-10.0.1.1'))]).toEqual([
      '10.0.0.254',
      '10.0.0.255',
      '10.0.1.0',
      '10.0.1.1',
    ]);
  });

  it('walks nothing for a host name, which has to be resolved first', () => {
    expect([...addressesOf(parseTarget('example.com'))]).toEqual([]);
  });
});

const ipv4 = fc.bigInt({ min: 0n, max: 0xffff_ffffn }).map((value): Address => ({ family: 4, value }));
const ipv6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value): Address => ({ family: 6, value }));

describe('canonical text', () => {
  it('is a fixpoint for every address, port and prefix', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), fc.integer({ min: 1, max: 65_535 }), fc.nat(32), (address, port, prefix) => {
        const plain = formatAddress(address);
        const forms = [
          plain,
          `${plain}/${prefix}`,
          address.family === 4 ? `${plain}:${port}` : `[${plain}]:${port}`,
          `https://${address.family === 4 ? plain : `[${plain}]`}:${port}/p?q`,
        ];
        for (const form of forms) {
          const once = parseTarget(form);
          expect(parseTarget(once.text)).toEqual(once);
        }
      }),
    );
  });

  it('agrees with the URL standard on IPv6, which canonicalises by RFC 5952 too', () => {
    fc.assert(
      fc.property(ipv6, (address) => {
        const target = parseTarget(formatAddress(address));
        if (target.kind !== 'address' || target.address.includes('.')) return;
        expect(new URL(`http://[${target.address}]/`).hostname).toBe(`[${target.address}]`);
      }),
    );
  });

  it('is a fixpoint for whatever text is accepted at all', () => {
    const piece = fc.constantFrom(
      '1',
      '0',
      '.',
      ':',
      '/',
      '-',
      'a',
      'xn--',
      '[',
      ']',
      'http://',
      '%',
      '@',
      '127',
      '::',
      'é',
      '?',
      '#',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        try {
          const target = parseTarget(text);
          expect(parseTarget(target.text)).toEqual(target);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('traps of the platform this parser stands in front of', () => {
  it('reads what BlockList lets through when it is not told the family', () => {
    const list = new BlockList();
    list.addSubnet('127.0.0.0', 8, 'ipv4');
    expect(list.check('::ffff:127.0.0.1')).toBe(false);
    expect(parseTarget('::ffff:127.0.0.1').text).toBe('127.0.0.1');
  });

  it('refuses what the URL standard silently turns into loopback', () => {
    for (const text of ['http://0x7f.1/', 'http://①②⑦.0.0.1/', 'http://2130706433/', 'http://0177.0.0.1/']) {
      expect(new URL(text).hostname).toBe('127.0.0.1');
      expect(refusal(text).code).toBe('target_invalid');
    }
  });
});
