import { describe, expect, it } from 'vitest';
import { allowsClosedBy, checkExpires, wideWarning } from '../../src/policy/policy-advice.ts';
import { parsePolicy } from '../../src/policy/policy-schema.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');

describe('a last day', () => {
  it('may be today, which is not over, but not yesterday', () => {
    expect(() => checkExpires('2026-06-01', 'allow', NOW)).not.toThrow();
    expect(() => checkExpires('2026-05-31', 'allow', NOW)).toThrow(/has passed/);
  });
});

describe('a wide entry', () => {
  it.each([
    ['10.0.0.0/24', undefined],
    ['localhost', undefined],
    ['*.example.com', undefined],
    ['10.0.0.0/8', /opens 16,777,216 addresses; one scan covers at most 256/],
    ['0.0.0.0/0', /opens every IPv4 address there is \(4,294,967,296 addresses\)/],
    ['::/0', /opens every IPv6 address there is \(about 2\^128 addresses\)/],
    ['2001:db8::/64', /opens about 2\^64 addresses/],
  ])('%s is told with what it opens', (entry, words) => {
    const warning = wideWarning(entry, 256);
    if (words) expect(warning).toMatch(words);
    else expect(warning).toBeUndefined();
  });
});

describe('allowed entries that a deny closes', () => {
  const { allow } = parsePolicy(`allow:
  - 10.1.0.0/16
  - target: 10.1.2.0/24
    expires: 2020-01-01
  - a.example.com
  - '*.b.example.com'
  - https://c.example.com/app
`);

  it.each([
    ['10.1.2.3', ['10.1.0.0/16']],
    ['10.2.0.0/16', []],
    ['a.example.com', ['a.example.com']],
    ['x.b.example.com', ['*.b.example.com']],
    ['*.example.com', ['a.example.com', '*.b.example.com', 'https://c.example.com/app']],
    ['https://c.example.com/', ['https://c.example.com/app']],
    ['d.example.org', []],
  ])('by %s are %j', (deny, closed) => {
    expect(allowsClosedBy(deny, allow, NOW)).toEqual(closed);
  });
});
