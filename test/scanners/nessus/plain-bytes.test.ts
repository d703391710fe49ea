import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMarkAt, isPlainAscii, markOf, windowOn } from '../../../src/scanners/nessus/plain-bytes.ts';

const PLAIN = /^[\t\n\x20-\x7e]*$/;
const spaceOf = (bytes: Uint8Array): Buffer => {
  // As the reader of reports has it: aligned, and a whole number of words.
  const space = Buffer.allocUnsafeSlow(Math.ceil(bytes.length / 4) * 4).fill(0x20);
  space.set(bytes);
  return space;
};

describe('bytes looked at four at a time', () => {
  it('are plain when a pattern says so, wherever one that is not stands', () => {
    for (let byte = 0; byte < 256; byte += 1) {
      for (let at = 0; at < 8; at += 1) {
        const space = Buffer.alloc(8, 'a');
        space[at] = byte;
        const isPlain = PLAIN.test(space.toString('latin1'));
        expect([byte, at, isPlainAscii(windowOn(space, space), 0, 8)]).toEqual([byte, at, isPlain]);
      }
    }
  });

  it('are plain when a pattern says so, in any mixture', () => {
    const byte = fc.oneof(fc.constantFrom(9, 10, 0x20, 0x41, 0x7e), fc.integer({ min: 0, max: 255 }));
    const mostly = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(9, 10, 0x20, 0x7e) },
      { weight: 1, arbitrary: byte },
    );
    fc.assert(
      fc.property(fc.array(mostly, { maxLength: 64 }), (bytes) => {
        const space = spaceOf(Uint8Array.from(bytes));
        const isPlain = PLAIN.test(Buffer.from(bytes).toString('latin1'));
        expect(isPlainAscii(windowOn(space, space), 0, bytes.length)).toBe(isPlain);
      }),
      { numRuns: 5_000 },
    );
  });

  it('are not plain where they are not all held', () => {
    const space = Buffer.allocUnsafeSlow(7).fill('a');
    expect(isPlainAscii(windowOn(space, space), 0, 7)).toBe(false);
    expect(isPlainAscii(windowOn(space, space), 0, 4)).toBe(true);
  });

  it('hold a text where they hold it as a whole, and nowhere else', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '<'), maxLength: 24 });
    const sought = fc.string({ unit: fc.constantFrom('a', 'b', '<'), minLength: 4, maxLength: 9 });
    fc.assert(
      fc.property(letters, sought, letters, fc.nat(50), (before, text, behind, end) => {
        const whole = before + text + behind;
        const { view } = windowOn(spaceOf(Buffer.from(whole)), Buffer.from(whole));
        const until = Math.min(end, whole.length);
        for (let at = 0; at <= until; at += 1) {
          expect(isMarkAt(view, markOf(text), at, until)).toBe(whole.slice(0, until).startsWith(text, at));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
