import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portRanges, unitedRanges } from '../../src/scanners/port-ranges.ts';

describe('port ranges', () => {
  it.each([
    [[], ''],
    [[80], '80'],
    [[443, 80, 81, 82, 80], '80-82,443'],
    [[0, 65_535, 65_536, -1], '65535'],
  ])('of %j are %s', (ports, text) => {
    expect(portRanges(ports)).toBe(text);
  });

  it.each([
    [['1-65535'], 'all'],
    [['0-65535'], 'all'],
    [['1-100', '50-200', '443'], '1-200,443'],
    [['1-100,x'], undefined],
    [['100-1'], undefined],
    [['1-99999'], undefined],
    [[''], undefined],
  ])('united from %j are %s', (lists, text) => {
    expect(unitedRanges(lists)).toBe(text);
  });

  it('read back what they write', () => {
    const ports = fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(ports, (asked) => {
        const text = portRanges(asked);
        expect(unitedRanges([text])).toBe(text);
        const read = text.split(',').flatMap((part) => {
          const [first = 0, last = first] = part.split('-').map(Number);
          return Array.from({ length: last - first + 1 }, (_, index) => first + index);
        });
        expect(new Set(read)).toEqual(new Set(asked));
      }),
      { numRuns: 50 },
    );
  });
});
