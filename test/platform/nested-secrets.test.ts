import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secretForms } from '../../src/model/secret-forms.ts';
import { createTextMask } from '../../src/platform/secret-mask.ts';

type Write = (text: string) => string;

const replacing =
  (references: Readonly<Record<string, string>>): Write =>
  (text) =>
    text.replace(/[&<>"']/g, (char) => references[char] ?? char);
const markup = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const quoted = { ...markup, '"': '&quot;' };
const escape: Write = (text) => encodeURIComponent(text);
const lower: Write = (text) => text.replace(/%[0-9A-F]{2}/g, (part) => part.toLowerCase());
const strict: Write = (text) => escape(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);

/** As the usual libraries write, made anew here. */
const SPELLINGS: Readonly<Record<string, Write>> = {
  plain: (text) => text,
  json: (text) => JSON.stringify(text).slice(1, -1),
  'json of PHP': (text) => JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/'),
  'xml text': replacing(markup),
  'xml attribute': replacing(quoted),
  'xml &apos;': replacing({ ...quoted, "'": '&apos;' }),
  'xml &#39;': replacing({ ...quoted, "'": '&#39;' }),
  'xml &#x27;': replacing({ ...quoted, "'": '&#x27;' }),
  'xml, quotes by number': replacing({ ...markup, '"': '&#34;', "'": '&#39;' }),
  'url, apostrophe kept': escape,
  'url, hexadecimal in lower case': (text) => lower(escape(text)),
  'url, + for space': (text) => escape(text).replaceAll('%20', '+'),
  'url, apostrophe escaped': (text) => strict(text).replace(/%[0-9a-f]{2}/g, (part) => part.toUpperCase()),
  'url, apostrophe escaped, in lower case': (text) => lower(strict(text)),
  'url form': (text) => new URLSearchParams({ q: text }).toString().slice(2),
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
};

const SPECIAL = Array.from(`'"&<>%+/\\=$ ab1`);
const SECRET = fc
  .oneof(
    fc.string({ minLength: 8, maxLength: 40, unit: fc.constantFrom(...SPECIAL) }),
    fc.string({ minLength: 8, maxLength: 40, unit: 'grapheme' }),
  )
  .filter((text) => !/[\r\n]/.test(text));

describe('a mask of secrets that a report spells twice', () => {
  it.each([
    ["CANARYwin\\pw'$x", 'CANARYwin%5Cpw&apos;%24x'],
    ["it's 100%", 'it&apos;s%20100%25'],
    ["it's 100%", 'it&#x27;s%20100%25'],
    ["it's 100%", 'it&amp;apos;s 100%'],
    ["it's 100%", 'it&#39;s+100%25'],
    ['a+b/c d"e', 'a%252Bb%252Fc%2520d%2522e'],
  ])('takes %s out of %s', (secret, report) => {
    expect(createTextMask([secret])?.(`<a>${report}</a>`)).toBe('<a>***</a>');
  });

  it('lets no composition of two spellings through, whatever the secret', () => {
    const names = fc.constantFrom(...Object.keys(SPELLINGS));
    fc.assert(
      fc.property(SECRET, names, names, (secret, inner, outer) => {
        const report = SPELLINGS[outer]?.(SPELLINGS[inner]?.(secret) ?? '') ?? '';
        const output = createTextMask([secret])?.(`{${report}}`) ?? '';
        // Padding says how long a secret is, and no more.
        expect(output.replace(/(?:=|%3D|%253D|\\u003d|&#61;)+\}$/i, '}')).toMatch(/^\{([*#~^!|@.•])\1\1\}$/);
      }),
      { numRuns: 400 },
    );
  });

  it('takes bounded memory, also for the worst secret of each length', () => {
    for (const length of [16, 128, 129, 2_000, 16_000]) {
      const worst = `é'"<>&%+/\\=$ ~()*世`.repeat(1_000).slice(0, length);
      const forms = secretForms([worst]);
      expect(forms.length).toBeLessThan(40_000);
      expect(forms.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(64 << 20);
    }
  });

  it('is not slowed down by a secret that begins like what every report holds', () => {
    const mask = createTextMask([`&'"<>&%+/\\=$ ~()*`]);
    const report = `&amp;apos;s `.repeat(20_000);
    expect(mask?.(report)).toBe(report);
  });
});
