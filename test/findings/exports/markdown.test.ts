import fc from 'fast-check';
import { lexer, parse, walkTokens, type Token } from 'marked';
import { describe, expect, it } from 'vitest';
import { markdown, plainText } from '../../../src/findings/exports/markdown.ts';
import { MOST_FOR_PEOPLE } from '../../../src/findings/exports/most-urgent.ts';
import type { ExportSource } from '../../../src/findings/exports/source.ts';
import { officeScan } from './sample.ts';
import { anySource, finding, HEADER, HOSTILE, hostile, sourceOf, written } from './sources.ts';

const textOf = (source: ExportSource): string => written(markdown(source, ''));

/** Kinds of everything a Markdown reader finds in a text. */
function kinds(text: string): Set<string> {
  const found = new Set<string>();
  void walkTokens(lexer(text), (token: Token) => {
    found.add(token.type);
  });
  return found;
}

const ACTIVE = ['link', 'image', 'html', 'def', 'codespan', 'del'];

/** What a reader shows, without the tags of the reader itself. */
const shown = (text: string): string =>
  parse(text, { async: false })
    .replace(/<\/?p>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&amp;/g, '&')
    .trim();

const nasty = fc.string({
  unit: fc.constantFrom(...Array.from('<>[]()!`*_#|~\\&;:/.@-+=1 \naw"\'${}^')),
  maxLength: 60,
});

describe('text in Markdown', () => {
  it('means nothing but itself, and is shown as it is', () => {
    fc.assert(
      fc.property(fc.oneof(nasty, fc.constant(HOSTILE), fc.webUrl(), fc.emailAddress()), (text) => {
        const plain = plainText(text);
        expect([...kinds(plain)].filter((kind) => !['paragraph', 'text', 'escape', 'space'].includes(kind))).toEqual(
          [],
        );
        expect(shown(plain)).toBe(text.replace(/\s+/g, ' ').trim());
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    'https://evil.test/x',
    'www.evil.test',
    'me@evil.test',
    '![x](https://evil.test/i.png)',
    '@user #1',
    '1. x',
    '- x',
  ])('makes nothing live of %s', (text) => {
    expect(parse(plainText(text), { async: false })).not.toMatch(/<(a|img|li|ol|ul)\b/);
  });
});

describe('the Markdown export', () => {
  it('holds no link, image or HTML, whatever the report said, and every finding has its line', () => {
    fc.assert(
      fc.property(anySource, (source) => {
        const text = textOf(source);
        const found = kinds(text);
        for (const kind of ACTIVE) expect(found.has(kind), kind).toBe(false);
        for (const { findingId } of source.findings()) expect(text).toContain(plainText(findingId));
      }),
      { numRuns: 60 },
    );
    expect([...kinds(textOf(sourceOf([hostile()])))].filter((kind) => ACTIVE.includes(kind))).toEqual([]);
  });

  it('quotes what the target wrote in a fence that it cannot close', () => {
    const output = 'a\n````\n# not a heading\n```';
    const text = textOf(sourceOf([finding({ untrusted: { output } })]));
    const codes: string[] = [];
    void walkTokens(lexer(text), (token) => {
      if (token.type === 'code') codes.push(String(token['text']));
    });
    expect(codes).toEqual([output]);
    expect(text).toContain('written by the scanned system');
  });

  it('begins with the verdict and what was not looked at, then the worst findings', () => {
    const text = textOf(officeScan());
    const at = [
      '# Scan report: Office network',
      '**Verdict: partial.**',
      '## What was not looked at',
      '- 38 places unreachable',
      '### critical: Apache',
      '### critical: Redis',
      '### high: Remote Desktop',
      '### info: Open port',
    ].map((part) => text.indexOf(part));
    expect(at).not.toContain(-1);
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(text).toContain('34 places:');
  });

  it('says what was looked for, and of a report from elsewhere nothing that nobody knows', () => {
    const text = (over: object) => textOf(sourceOf([], { scan: { ...HEADER.scan, ...over } }));
    expect(text({})).toContain('| Looked for | http, tls |');
    expect(text({})).toMatch(/\| Scan \| .*, completed, without a login \|\n[^]*\| Places \| 3 asked for/);
    expect(text({ origin: 'imported' })).toMatch(/, completed, imported \|\n[^]*\| Places \| 3 in the report/);
  });

  it('is bounded, and says how many findings are elsewhere', () => {
    const many = Array.from({ length: MOST_FOR_PEOPLE + 5 }, (_, at) => finding({ discriminator: String(at) }));
    const text = textOf(sourceOf(many));
    expect(text).toContain('shows the 2,000 most urgent of 2,005 findings');
    expect(text).toContain('and 1,900 more places');
    expect(textOf(sourceOf([finding()]))).not.toContain('most urgent of');
  });
});
