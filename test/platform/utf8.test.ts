import fc from 'fast-check';
import { isUtf8 } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { utf8Length, wholeCharacters } from '../../src/platform/utf8.ts';

const characters = fc.string({ unit: 'grapheme', maxLength: 60 });

describe('bytes that should be UTF-8', () => {
  it('are cut between characters', () => {
    fc.assert(
      fc.property(characters, fc.nat(), (text, cut) => {
        const bytes = Buffer.from(text);
        const to = bytes.length === 0 ? 0 : cut % (bytes.length + 1);
        const end = wholeCharacters(bytes, to);
        expect(isUtf8(bytes.subarray(0, end))).toBe(true);
        expect(to - end).toBeLessThan(4);
        expect(isUtf8(bytes.subarray(end))).toBe(true);
      }),
    );
  });

  it('are read as far as they are', () => {
    fc.assert(
      fc.property(characters, fc.constantFrom(0xff, 0xc0, 0x80, 0xed, 0xf5), characters, (before, wrong, after) => {
        const good = Buffer.from(before);
        const bytes = Buffer.concat([good, Buffer.from([wrong]), Buffer.from(`a${after}`)]);
        expect(utf8Length(bytes)).toBe(good.length);
        expect(utf8Length(good)).toBe(good.length);
      }),
    );
  });
});
