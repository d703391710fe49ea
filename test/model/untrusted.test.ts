import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  charactersLeftOut,
  cleanLine,
  cleanPlainLine,
  cleanPlainUntrusted,
  cleanUntrusted,
} from '../../src/model/untrusted.ts';

/** Text as an attacker would write it: any code unit, and the characters that matter more often than chance has it. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom(
        '\u{1b}[31m',
        '\u{1b}]8;;http://x\u{7}',
        '\u{202e}',
        '\u{200b}',
        '\u{feff}',
        '\u{e0041}',
        '\u{3164}',
        '\u{34f}',
        '\u{fe0f}',
        '\r\n',
        '\r',
        '\n',
        '\t',
        'http://',
        'hthttp://tp://',
        'HTTPS://',
        'ftp://',
        'javascript:',
        'www.a',
        '![x](',
        '](',
        '😀',
        '\u{d83d}',
        ' ',
      ),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));
const cap = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 200, max: 240 }));

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** The same without any short cut for text that needs no cleaning. */
const ACTING = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;
const shown = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
const cleanedAtLength = (text: string): string =>
  text
    .replace(/\r\n?/g, '\n')
    .replace(ACTING, (char) => (char === '\n' || char === '\t' ? char : shown(char)))
    .replace(/http(s?:\/\/)/gi, (match, rest: string) => `${match.startsWith('H') ? 'H' : 'h'}xxp${rest}`)
    .replace(/(?<!hxxps?):\/\//gi, '[:]//')
    .replace(/((?:javascript|vbscript|mailto)(?=:[^\s…])|data(?=:\w+\/\w)):/gi, '$1[:]')
    .replace(/(www)\.(?=\w)/gi, '$1[.]')
    .replace(/\]\(/g, '] (');
const lineAtLength = (text: string): string =>
  text.replace(ACTING, (char) => (/[\n\r\t]/.test(char) ? ' ' : shown(char))).trim();

describe('cleaning of untrusted text', () => {
  it('takes no short cut that shows', () => {
    const plain = fc.oneof(
      hostile,
      fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\t', ':', '/', '.', 'w', ']', '('), maxLength: 40 }),
      fc
        .array(fc.constantFrom('data:', 'text/html', 'mailto:', 'a', ' ', 'VBScript:', 'WWW.', 'x', '://', 's', '…'))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(plain, (text) => {
        expect(cleanUntrusted(text, 10_000)).toBe(cleanedAtLength(text));
        expect(cleanLine(text, 10_000)).toBe(lineAtLength(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes no short cut for any character of 16 bits', () => {
    const wrong: number[] = [];
    for (let code = 0; code <= 0xffff; code += 1) {
      const text = `a${String.fromCharCode(code)}b`;
      const isRight =
        cleanUntrusted(text, 100) === cleanedAtLength(text) && cleanLine(text, 100) === lineAtLength(text);
      if (!isRight) wrong.push(code);
    }
    expect(wrong).toEqual([]);
  });

  it('is the same for text that is known to be plain', () => {
    const plain = fc.oneof(
      fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 80 }),
      fc
        .array(fc.constantFrom('http://', 'mailto:x', 'www.a', '](', '\n', '\t', ' ', 'data:a/b'))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(plain, cap, (text, max) => {
        expect(cleanPlainUntrusted(text, max)).toBe(cleanUntrusted(text, max));
        expect(cleanPlainLine(text, max)).toBe(cleanLine(text, max));
      }),
      { numRuns: 3_000 },
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(hostile, cap, (text, max) => {
        const once = cleanUntrusted(text, max);
        expect(cleanUntrusted(once, max)).toBe(once);
        const line = cleanLine(text, max);
        expect(cleanLine(line, max)).toBe(line);
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves no character that acts or hides, and stays within its cap', () => {
    fc.assert(
      fc.property(hostile, cap, (text, max) => {
        const shown = cleanUntrusted(text, max);
        expect(shown.replaceAll(/[\n\t]/g, '')).not.toMatch(INVISIBLE);
        expect(shown.length).toBeLessThanOrEqual(max);
        const line = cleanLine(text, max);
        expect(line).not.toMatch(INVISIBLE);
        expect(line.length).toBeLessThanOrEqual(max);
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves no link that a client would make clickable', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = cleanUntrusted(text, 10_000);
        expect(shown).not.toMatch(/http:\/\/|https:\/\/|ftp:\/\/|javascript:[^\s…]|www\.\w|\]\(/i);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['see https://evil.example/x', 'see hxxps://evil.example/x'],
    ['_HTTP://evil.example', '_Hxxp://evil.example'],
    ['ftp://a and javascript:alert(1)', 'ftp[:]//a and javascript[:]alert(1)'],
    ['metadata: x, mailto: y', 'metadata: x, mailto: y'],
    ['data:text/html,x', 'data[:]text/html,x'],
    ['www.evil.example', 'www[.]evil.example'],
    ['![x](/y?z)', '![x] (/y?z)'],
    ['\u{1b}[2J\u{202e}abc\u{200b}', '\\u{1b}[2J\\u{202e}abc\\u{200b}'],
    ['a\u{3164}b\u{115f}c\u{34f}d', 'a\\u{3164}b\\u{115f}c\\u{34f}d'],
    ['line one\r\nline two\ttab', 'line one\nline two\ttab'],
    ['Grüße, 世界 😀 — plain text: fine', 'Grüße, 世界 😀 — plain text: fine'],
  ])('shows %j as %j', (text, expected) => {
    expect(cleanUntrusted(text, 200)).toBe(expected);
  });

  it('marks every cut, also when line ends shrink the text below its cap', () => {
    expect(cleanUntrusted('\r\n'.repeat(50), 10)).toMatch(/…$/);
    expect(cleanLine('x'.repeat(11), 10)).toBe(`${'x'.repeat(9)}…`);
  });

  it('counts what is left out of a long text, and keeps the mark when it is cleaned again', () => {
    const shown = cleanUntrusted('x'.repeat(1_000), 300);
    expect(shown).toBe(`${'x'.repeat(250)}… (750 characters left out)`);
    expect(charactersLeftOut(shown, 300)).toBe(750);
    expect(cleanUntrusted(shown, 300)).toBe(shown);
    expect(charactersLeftOut(cleanUntrusted('\r\n'.repeat(5_000), 300), 300)).toBe(9_450);
  });

  it('takes no words of the target for its own mark', () => {
    expect(charactersLeftOut('… (750 characters left out)', 300)).toBeUndefined();
    expect(charactersLeftOut('x'.repeat(300), 300)).toBeUndefined();
  });

  it('never leaves half a character at the cut', () => {
    expect(cleanLine('😀'.repeat(10), 6)).toBe('😀😀…');
    expect(cleanUntrusted('😀'.repeat(10), 6)).toBe('😀😀…');
  });

  it('keeps a line on one line', () => {
    expect(cleanLine(' a\r\nb\tc ', 50)).toBe('a  b c');
  });
});
