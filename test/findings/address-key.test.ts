import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKey, addressRange, canonicalAddress } from '../../src/findings/address-key.ts';

const toInt = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

describe('address keys', () => {
  it('sort like the numbers they stand for', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), (a, b) => {
        const [x = '', y = ''] = [addressKey(a), addressKey(b)];
        expect(Math.sign(x < y ? -1 : x > y ? 1 : 0)).toBe(Math.sign(toInt(a) - toInt(b)));
      }),
    );
  });

  it('are equal for every spelling of one address', () => {
    expect(addressKey('2001:DB8:0:0::9')).toBe(addressKey('2001:db8::9'));
    expect(addressKey('::ffff:10.0.0.1')).toBe(addressKey('10.0.0.1'));
    expect(addressKey('[::1]')).toBe(addressKey('::1'));
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = canonicalAddress(text) ?? '';
        expect(addressKey(canonical)).toBe(addressKey(text));
      }),
    );
  });

  it.each(['', 'app.test', '10.1', '0x7f.1', '010.0.0.1', '1.2.3.4.5', 'fe80::1%eth0', '10.0.0.1/8'])(
    'do not exist for %j',
    (text) => {
      expect(addressKey(text)).toBeUndefined();
    },
  );
});

describe('address ranges', () => {
  it('hold exactly the addresses whose leading bits are equal', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (network, address, prefix) => {
        const range = addressRange(`${network}/${prefix}`);
        const key = addressKey(address) ?? '';
        const isInside = range !== undefined && range.first <= key && key <= range.last;
        const size = 2 ** (32 - prefix);
        expect(isInside).toBe(Math.floor(toInt(network) / size) === Math.floor(toInt(address) / size));
      }),
    );
  });

  it('unwrap mapped IPv6 and never mix families', () => {
    expect(addressRange('::ffff:10.0.0.0/104')).toEqual(addressRange('10.0.0.0/8'));
    const all = addressRange('::/0');
    expect(all && addressKey('10.0.0.1') && (addressKey('10.0.0.1') ?? '') < all.first).toBe(true);
  });

  it.each(['10.0.0.0/33', '::1/129', 'app.test/8', '10.0.0.2-10.0.0.1', '10.0.0.1-::1', 'web-1', '10.0.0.0/', '1-2-3'])(
    'do not exist for %j',
    (text) => {
      expect(addressRange(text)).toBeUndefined();
    },
  );
});
