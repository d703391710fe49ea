import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shrinkToTokens } from '../../src/findings/shrink.ts';
import { estimateTokens } from '../../src/findings/tokens.ts';

describe('the token estimate', () => {
  it.each([
    ['', 0],
    ['abc', 1],
    ['abcd', 2],
    ['世界', 3],
    ['😀', 2],
    ['{"a":1}', 3],
  ])('of %j is %i', (text, tokens) => {
    expect(estimateTokens(text)).toBe(tokens);
  });
});

describe('shrinking', () => {
  const items = fc.record({
    finding_id: fc.constant('scan_0123456789abcdefghjk.1'),
    severity: fc.constant('high'),
    title: fc.string({ unit: 'grapheme', maxLength: 300 }),
    references: fc.array(fc.webUrl(), { maxLength: 50 }),
    untrusted: fc.dictionary(fc.constantFrom('output', 'banner'), fc.string({ unit: 'grapheme', maxLength: 4_000 })),
    location: fc.dictionary(fc.constantFrom('url', 'host', 'file'), fc.string({ maxLength: 2_000 })),
  });

  it('makes an item fit its budget, keeps its id, and says what was cut', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 200, max: 3_000 }), (item, budget) => {
        const shown = shrinkToTokens(item, budget);
        expect(estimateTokens(JSON.stringify([shown]))).toBeLessThanOrEqual(budget);
        expect(shown['finding_id']).toBe(item.finding_id);
        expect(shown['severity']).toBe('high');
        if (shown !== item) expect(shown['cut']).toEqual(expect.arrayContaining([expect.any(String)]));
      }),
    );
  });

  it('takes from what is said before it takes from what and where it is', () => {
    const cves = Array.from({ length: 14 }, (_, at) => `CVE-2021-${40_000 + at}`);
    const place = '10.0.0.1:445/tcp';
    const item = { finding_id: 'x', title: 'A title', cves, place, description: 'd '.repeat(2_000), solution: 's' };
    const shown = shrinkToTokens(item, 250);
    expect(shown).toMatchObject({ title: 'A title', cves, place });
    expect(shown['cut']).toEqual([expect.stringMatching(/^description: 4000 -> \d+ characters$/)]);
    const tiny = shrinkToTokens(item, 120);
    expect(tiny).toMatchObject({ title: 'A title', place });
    expect(tiny).not.toHaveProperty('description');
    expect(tiny['cut']).toEqual([expect.stringMatching(/^cves: 14 -> \d+ items$/), 'left out: description, solution']);
  });

  it('keeps what was said to be cut before', () => {
    const item = { finding_id: 'x', description: 'd '.repeat(2_000), cut: ['untrusted.output: 5 characters'] };
    expect(shrinkToTokens(item, 250)['cut']).toEqual([
      'untrusted.output: 5 characters',
      expect.stringMatching(/^description: 4000 -> /),
    ]);
  });

  it('leaves an item that fits as it is', () => {
    const item = { finding_id: 'x', title: 'short' };
    expect(shrinkToTokens(item, 500)).toBe(item);
  });

  it('says by how much each part was cut', () => {
    const item = {
      finding_id: 'x',
      untrusted: { output: 'a'.repeat(9_000) },
      references: Array.from({ length: 50 }, () => 'https://a.test'),
    };
    expect(shrinkToTokens(item, 500)['cut']).toEqual([
      expect.stringMatching(/^untrusted\.output: 9000 -> \d+ characters$/),
      expect.stringMatching(/^references: 50 -> \d+ items$/),
    ]);
  });
});
