import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/policy/target.ts';
import { overlaps } from '../../src/scans/overlap.ts';

const meet = (a: string, b: string): boolean => {
  const there = overlaps(parseTarget(a), parseTarget(b));
  expect(overlaps(parseTarget(b), parseTarget(a))).toBe(there);
  return there;
};

describe('two targets', () => {
  it.each([
    ['10.0.0.7', '10.0.0.0/24'],
    ['10.0.0.0/25', '10.0.0.100-10.0.0.200'],
    ['10.0.0.7:443', '10.0.0.7'],
    ['http://10.0.0.7/a', '10.0.0.0/8'],
    ['example.com', 'https://example.com/login'],
    ['http://localhost:3000/', '127.0.0.1:3000'],
    ['localhost', '::1'],
    ['localhost', 'http://localhost:8080/'],
  ])('may mean the same place: %s and %s', (a, b) => expect(meet(a, b)).toBe(true));

  it.each([
    ['10.0.0.7', '10.0.1.0/24'],
    ['10.0.0.7:443', '10.0.0.7:80'],
    ['example.com', 'www.example.com'],
    ['localhost', '127.0.0.2'],
    ['localhost:3000', '127.0.0.1:3001'],
    ['::1', '127.0.0.1'],
  ])('do not mean the same place: %s and %s', (a, b) => expect(meet(a, b)).toBe(false));
});
