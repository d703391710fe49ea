import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadFindings } from '../../src/findings/load-findings.ts';
import { findWords } from '../../src/findings/word-search.ts';
import { END, found, stored } from './reports.ts';

async function open(texts: readonly string[]) {
  const events = texts.map((output, n) => found({ title: `t${n}`, discriminator: String(n), untrusted: { output } }));
  const { file } = await stored([...events, END]);
  return loadFindings(file);
}

const hits = (mask: Uint8Array): number[] => [...mask.keys()].filter((id) => mask[id] === 1);

describe('a search for words', () => {
  it('finds what plain JavaScript finds, in every text and in no seam between two', async () => {
    const words = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '世', ' '), maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(words, { minLength: 1, maxLength: 12 }),
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'é', '世', ' ', 'B', 'É'), minLength: 1, maxLength: 5 }), {
          minLength: 6,
          maxLength: 6,
        }),
        async (texts, searches) => {
          const file = await open(texts);
          for (const search of searches) {
            const expected = texts.flatMap((text, id) =>
              text.toLowerCase().includes(search.toLowerCase()) ? [id] : [],
            );
            expect(hits(findWords(file, search).bodies)).toEqual(expected);
          }
          file.db.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('finds in every block of a text that fills many', async () => {
    const filler = 'padding '.repeat(2_000);
    const texts = Array.from({ length: 90 }, (_, n) => `${filler}${n % 7 === 3 ? 'quill' : 'quilt'} ${filler}`);
    const file = await open(texts);
    const blocks = file.db.prepare("SELECT count(*) AS n FROM words WHERE kind = 'body'").get()?.['n'];
    expect(Number(blocks)).toBeGreaterThan(2);
    expect(hits(findWords(file, 'QUILL').bodies)).toEqual([...texts.keys()].filter((n) => n % 7 === 3));
    file.db.close();
  });

  it('finds links as they were and as they are stored', async () => {
    const file = await open(['see http://evil.test/x', 'nothing']);
    for (const search of ['http://evil', 'hxxp://evil', 'HTTP://EVIL']) {
      expect(hits(findWords(file, search).bodies)).toEqual([0]);
    }
    file.db.close();
  });

  it.each(['\ud83d', 'a\ud83d', '\0', '\u202e'])('takes %j as it comes', async (search) => {
    const file = await open(['\ufffd', 'a\ufffd', '😀']);
    expect(hits(findWords(file, search).bodies)).toEqual([]);
    file.db.close();
  });

  it('finds titles and descriptions by their rules', async () => {
    const { query } = await stored([
      found({ rule_id: 'a', title: 'Old TLS' }),
      found({ rule_id: 'b', description: 'about tls' }),
      found({ rule_id: 'c' }),
      END,
    ]);
    expect((await query({ text: 'TLS' })).total).toBe(2);
  });
});
