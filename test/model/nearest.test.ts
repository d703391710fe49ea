import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../src/model/nearest.ts';

describe('nearest', () => {
  it('counts inserts, deletes, replacements and swaps of neighbours as one edit each', () => {
    expect(editDistance('url', 'url')).toBe(0);
    expect(editDistance('pasword', 'password')).toBe(1);
    expect(editDistance('usrename', 'username')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('abc', '')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('names the candidate that was meant, whatever the case and the dashes', () => {
    expect(nearest('Max-Attempts', ['max_attempts', 'max_seconds'])).toBe('max_attempts');
    expect(nearest('max_atempts', ['max_attempts', 'max_seconds'])).toBe('max_attempts');
  });

  it('names nothing when nothing is near, and does not compare very long words', () => {
    expect(nearest('colour', ['url', 'username'])).toBeUndefined();
    expect(nearest('x'.repeat(65), ['x'.repeat(64)])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});
