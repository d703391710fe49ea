import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/policy/target.ts';
import { overlaps } from '../../src/scans/overlap.ts';
import { targetsOf } from '../../src/scans/import-targets.ts';

const v4 = (n: number): string => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;

describe('what a report is about', () => {
  it('is its addresses and names, canonical, each once', () => {
    const hosts = [
      { name: 'B.test.', address: '::ffff:10.0.0.1' },
      { address: '10.0.0.1' },
      { address: 'FE80::0001%eth0' },
      { name: 'a.test' },
      { name: 'no host name' },
    ];
    expect(targetsOf(hosts, [])).toEqual(['10.0.0.1', 'a.test', 'b.test', 'fe80::1']);
  });

  it('is the names of its places when it has no host, and says so when it has none at all', () => {
    const places = [
      { place: 'nginx:1.25', status: 'tested' },
      { place: '/src', status: 'tested' },
    ] as const;
    expect(targetsOf([], places)).toEqual(['/src', 'nginx:1.25']);
    expect(targetsOf([], [])).toEqual(['unknown']);
    expect(targetsOf([{ name: 'no host name' }], [])).toEqual(['unknown']);
  });

  it('is at most a thousand texts, which still hold every address', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(2 ** 24 - 1), { minLength: 1_200, maxLength: 1_500 }), (numbers) => {
        const targets = targetsOf(
          numbers.map((n) => ({ address: v4(n) })),
          [],
        ).map((text) => parseTarget(text));
        expect(targets.length).toBeLessThanOrEqual(1_000);
        for (const n of numbers.slice(0, 50)) {
          expect(targets.some((target) => overlaps(parseTarget(v4(n)), target))).toBe(true);
        }
      }),
      { numRuns: 5 },
    );
  });

  it('joins neighbours before what lies far apart', () => {
    const near = Array.from({ length: 1_100 }, (_, n) => ({ address: v4(n) }));
    const far = Array.from({ length: 10 }, (_, n) => ({ address: v4(2 ** 20 + n * 5_000) }));
    const targets = targetsOf([...near, ...far], []);
    expect(targets).toHaveLength(11);
    expect(targets).toContain('10.0.0.0-10.0.4.75');
  });

  it('leaves room for names beside many addresses, and for addresses beside many names', () => {
    const addresses = Array.from({ length: 3_000 }, (_, n) => ({ address: v4(n * 7) }));
    const names = Array.from({ length: 3_000 }, (_, n) => ({ name: `h${n}.test` }));
    const targets = targetsOf([...addresses, ...names], []);
    expect(targets).toHaveLength(1_000);
    expect(targets.filter((text) => text.endsWith('.test')).length).toBeGreaterThanOrEqual(400);
    expect(targets.filter((text) => text.startsWith('10.')).length).toBeGreaterThan(0);
  });
});
