import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { sameJson } from '../../src/scanners/same-json.ts';

const key = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'length', '0');
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, 0, 1, '', 'a', '1'),
    fc.array(tie('any'), { maxLength: 2 }),
    fc.uniqueArray(fc.tuple(key, tie('any')), { maxLength: 3, selector: ([name]) => name }),
  ),
})).any;

describe('sameJson', () => {
  it('is what a deep comparison of the standard library says', () => {
    fc.assert(
      fc.property(value, value, fc.boolean(), (one, other, isCopy) => {
        // Lists of pairs become objects, with keys that a literal could not hold.
        const text = (held: unknown): string => {
          if (!Array.isArray(held)) return JSON.stringify(held);
          const isPairs =
            held.length > 0 &&
            held.every((pair) => Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string');
          if (!isPairs) return `[${held.map(text).join()}]`;
          return `{${held.map(([name, inner]) => `${JSON.stringify(name)}:${text(inner)}`).join()}}`;
        };
        const a: unknown = JSON.parse(text(one));
        const b: unknown = JSON.parse(text(isCopy ? one : other));
        expect(sameJson(a, b)).toBe(isDeepStrictEqual(a, b));
      }),
      { numRuns: 1_000, endOnFailure: true },
    );
  });

  it('takes what is nested too deep for different', () => {
    const deep = (): unknown => JSON.parse(`${'['.repeat(50)}${']'.repeat(50)}`);
    expect(sameJson(deep(), deep())).toBe(false);
  });
});
