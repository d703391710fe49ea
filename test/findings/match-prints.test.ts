import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexOfPrint, matchPrints } from '../../src/findings/match-prints.ts';

const print = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Prints that only differ in their last byte share a slot.
  fc.nat(255).map((last) => Uint8Array.of(...Array.from({ length: 15 }, () => 7), last)),
);
const prints = fc.uniqueArray(print, { maxLength: 60, selector: (bytes) => bytes.join() });
const packed = (list: readonly Uint8Array[]): Uint8Array => Uint8Array.from(list.flatMap((bytes) => [...bytes]));

describe('matching fingerprints', () => {
  it('finds each print where it is, and no other', () => {
    fc.assert(
      fc.property(prints, prints, (a, b) => {
        const at = new Map(b.map((bytes, index) => [bytes.join(), index]));
        expect([...matchPrints(packed(a), packed(b))]).toEqual(a.map((bytes) => at.get(bytes.join()) ?? -1));
      }),
    );
  });

  it('reads prints that begin at an odd byte', () => {
    const whole = packed([Uint8Array.of(...Array.from({ length: 16 }, (_, index) => index))]);
    const shifted = new Uint8Array(17);
    shifted.set(whole, 1);
    expect([...matchPrints(shifted.subarray(1), whole)]).toEqual([0]);
    expect([...matchPrints(whole, shifted.subarray(1))]).toEqual([0]);
  });

  it('looks one up, and is not fooled by bytes across two of them', () => {
    const two = packed([new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)]);
    expect(indexOfPrint(two, new Uint8Array(16).fill(2))).toBe(1);
    expect(indexOfPrint(two, two.slice(8, 24))).toBe(-1);
  });
});
