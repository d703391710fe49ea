import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadFindings } from '../../src/findings/load-findings.ts';
import { findWords } from '../../src/findings/word-search.ts';
import { cleanUntrusted } from '../../src/model/untrusted.ts';
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

  it('finds any part of a link, as it was and as it is shown', async () => {
    const piece = fc.constantFrom(
      'http://',
      'HTTPS://',
      'ftp://',
      'www.',
      'evil.test',
      '](',
      'mailto:',
      'a',
      ' ',
      '\n',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join('')),
        fc.nat(),
        fc.integer({ min: 1, max: 12 }),
        async (text, at, length) => {
          const file = await open([text, 'nothing']);
          for (const spelling of [text, cleanUntrusted(text, 10_000)]) {
            const begin = at % spelling.length;
            const part = spelling.slice(begin, begin + length).split('\n')[0] ?? '';
            if (part !== '') expect(hits(findWords(file, part).bodies)).toContain(0);
          }
          file.db.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(['http', 'https', 'www', 'www.evil', 'hxxp', 'ttps://w', 'EVIL'])(
    'finds a link by a part of it: %s',
    async (part) => {
      const file = await open(['go to https://www.evil.test/x', 'see https://www.evil.test', 'plain']);
      expect(hits(findWords(file, part).bodies)).toEqual([0, 1]);
      file.db.close();
    },
  );

  it('finds findings by their package, file, URL and image', async () => {
    const { query } = await stored([
      found({
        rule_id: 'a',
        location: { image: 'shop:1.2', file: 'srv/yarn.lock', package: 'lodash', version: '4.17.4' },
      }),
      found({ rule_id: 'b', location: { url: 'http://127.0.0.1/login' } }),
      END,
    ]);
    const rules = async (text: string) => (await query({ text })).findings?.map((finding) => finding['rule_id']);
    for (const text of ['LODASH', 'yarn.lock', 'shop:1']) expect(await rules(text)).toEqual(['a']);
    for (const text of ['/login', 'http', 'hxxp://127']) expect(await rules(text)).toEqual(['b']);
    const { findings } = await query({ text: 'lodash', detail: 'minimal' });
    expect(findings?.[0]?.['place']).toBe('shop:1.2 srv/yarn.lock lodash 4.17.4');
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
