import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { readXml } from '../../src/platform/xml.ts';
import type { XmlOptions } from '../../src/platform/xml-reader.ts';

const bytes = (text: string | Uint8Array, size = 1 << 20): Readable => {
  const all = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
  return Readable.from(pieces);
};

/** What the handlers hear, as text. */
async function heard(source: Readable, options: Partial<XmlOptions> & { keepCut?: boolean } = {}): Promise<string[]> {
  const { keepCut = false, ...xml } = options;
  const events: string[] = [];
  const stream = readXml<string>(
    source,
    (emit) => ({
      open: (name, attributes) =>
        emit(
          `<${name}${Object.entries(attributes)
            .map(([key, value]) => ` ${key}=${value}`)
            .join()}>`,
        ),
      text: (text) => emit(text.trim()),
      close: (name) => emit(`</${name}>`),
      end: () => emit('end'),
      ...(keepCut ? { cut: () => emit('cut') } : {}),
    }),
    { what: 'test report', ...xml },
  );
  for await (const event of stream) if (event !== '') events.push(event);
  return events;
}

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'report_unreadable', message: expect.stringMatching(message) });

describe('readXml', () => {
  it('hears elements, attributes, text, CDATA and the five entities in order', async () => {
    const xml = '<?xml version="1.0"?><!DOCTYPE a><a k="1 &lt; 2"><b>x &amp; y</b><![CDATA[<raw>]]></a>';
    expect(await heard(bytes(xml))).toEqual(['<a k=1 < 2>', '<b>', 'x & y', '</b>', '<raw>', '</a>', 'end']);
  });

  it('hears the same wherever the bytes are split', async () => {
    const xml = '<?xml version="1.0"?><a k="ü€𝄞"><b>Größe &#x20AC;</b></a><?xml version="1.0"?><c/>';
    const whole = await heard(bytes(xml), { documents: 'many' });
    for (const size of [1, 2, 3, 5, 7, 11]) expect(await heard(bytes(xml, size), { documents: 'many' })).toEqual(whole);
  });

  it('keeps names like __proto__ as plain keys', async () => {
    expect(await heard(bytes('<a __proto__="1" constructor="2"/>'))).toContain('<a __proto__=1, constructor=2>');
  });

  it.each([
    ['an internal subset', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', /document type with declarations at line 1/],
    ['an external DTD', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', /document type with declarations/],
    ['an undefined entity', '<a>\n&nope;</a>', /undefined entity at line 2, column \d+/],
    ['a mismatched tag', '<a><b></a>', /line 1/],
    ['two roots', '<a/><b/>', /line 1/],
    ['a control character', '<a>\u0001</a>', /disallowed character/],
    ['a reference to a control character', '<a>&#1;</a>', /line 1/],
    ['a duplicate attribute', '<a k="1" k="2"/>', /duplicate attribute/],
    ['another encoding', '<?xml version="1.0" encoding="utf-16"?><a/>', /encoding utf-16/],
    ['bytes that are not UTF-8', Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0xfe]), /not UTF-8/],
    ['no element', '<!-- only a comment -->', /no XML element/],
    ['nothing', '', /has nothing at line 1/],
    ['its end too early', '<a><b>', /its end too early at line 1/],
    ['its end within a character', Buffer.from('<a>ü').subarray(0, 4), /its end too early/],
  ])('refuses %s and names the place', async (_what, xml, message) => {
    await expect(heard(bytes(xml))).rejects.toEqual(refusal(message));
  });

  it.each([
    ['depth', '<a>'.repeat(5), { depth: 4 }, /nested too deep/],
    ['attributes', '<a b="" c="" d=""/>', { attributes: 2 }, /too many attributes/],
    ['attribute length', `<a b="${'x'.repeat(11)}"/>`, { attributeChars: 10 }, /too long an attribute/],
    [
      'the length of all attributes',
      `<a ${['b', 'c', 'd', 'e', 'f'].map((name) => `${name}="xxxxxxxxxx"`).join(' ')}/>`,
      { attributeChars: 10 },
      /too long attributes/,
    ],
    ['text length', `<a>${'x'.repeat(11)}</a>`, { textChars: 10 }, /too long a text/],
    ['elements', '<a><b/><b/></a>', { elements: 2 }, /too many elements/],
  ])('holds the limit of %s', async (_what, xml, limits, message) => {
    await expect(heard(bytes(xml), limits)).rejects.toEqual(refusal(message));
  });

  it.each(['<a>', '<a k="', '<!-- ', '<a>&', '<?pi ', '<a><![CDATA[', '<!DOCTYPE a '])(
    'stops reading what never ends after %s',
    async (start) => {
      let pulled = 0;
      const endless = function* () {
        yield Buffer.from(start);
        for (; pulled < 10_000; pulled += 1) yield Buffer.alloc(1 << 16, 'x');
      };
      await expect(heard(Readable.from(endless()))).rejects.toBeInstanceOf(AppError);
      expect(pulled).toBeLessThan(200);
    },
  );

  it('yields what was complete before an error', async () => {
    const events: string[] = [];
    const read = async (): Promise<void> => {
      const stream = readXml<string>(bytes('<a><b/><c/></oops>'), (emit) => ({ open: emit }), { what: 'test report' });
      for await (const event of stream) events.push(event);
    };
    await expect(read()).rejects.toEqual(refusal(/line 1/));
    expect(events).toEqual(['a', 'b', 'c']);
  });

  it('yields what was complete before a byte that is not UTF-8, in the same piece or not', async () => {
    const xml = Buffer.concat([Buffer.from('<a><b/>ü<c/>'), Buffer.from([0xe9, 0x3c]), Buffer.from('<d/></a>')]);
    for (const size of [1, 2, 3, 5, 1 << 20]) {
      const events: string[] = [];
      const read = async (): Promise<void> => {
        const stream = readXml<string>(bytes(xml, size), (emit) => ({ open: emit }), { what: 'test report' });
        for await (const event of stream) events.push(event);
      };
      await expect(read()).rejects.toEqual(
        refusal(/^The test report has bytes that are not UTF-8 at line 1, column 12/),
      );
      expect(events).toEqual(['a', 'b', 'c']);
    }
  });

  it.each(['<a>\n<b k="é"/></a>', '<!-- é -->\n<a/>', '<a/>'])(
    'names the encoding that was declared and where, not the bytes that follow from it: %j',
    async (xml) => {
      const latin = Buffer.from(`<?xml version="1.0" encoding="iso-8859-1"?>\n${xml}`, 'latin1');
      await expect(heard(bytes(latin))).rejects.toEqual(
        refusal(/^The test report has the encoding iso-8859-1, where only UTF-8 is read, at line 1\.$/),
      );
    },
  );

  it('tells a cut from an error where the caller keeps what was complete', async () => {
    expect(await heard(bytes('<a><b/><c'), { keepCut: true })).toEqual(['<a>', '<b>', '</b>', 'cut']);
  });

  it('reads several documents, cut or whole, and comments before the first declaration', async () => {
    const xml = '<!-- licence -->\n<?xml version="1.0"?><a/>\n<?xml version="1.0"?><b><x>\n<?xml version="1.0"?><c/>\n';
    const events = await heard(bytes(xml), { documents: 'many', keepCut: true });
    expect(events).toEqual(['<a>', '</a>', 'end', '<b>', '<x>', 'cut', '<c>', '</c>', 'end']);
  });

  it('counts lines over all documents', async () => {
    const xml = '<?xml version="1.0"?>\n<a/>\n<?xml version="1.0"?>\n<b></c>';
    await expect(heard(bytes(xml), { documents: 'many' })).rejects.toEqual(refusal(/line 4/));
  });

  it('takes a last document that is only begun for cut', async () => {
    const xml = '<?xml version="1.0"?><a/><?xml version="1.0"?><!DOC';
    expect(await heard(bytes(xml), { documents: 'many', keepCut: true })).toEqual(['<a>', '</a>', 'end', 'cut']);
  });

  it('does not read ahead of a slow reader', async () => {
    let given = 0;
    const source = new Readable({
      highWaterMark: 1,
      read() {
        given += 1;
        this.push(given > 1_000 ? null : given === 1 ? '<a>' : '<b/>');
      },
    });
    const stream = readXml<string>(source, (emit) => ({ open: emit }), { what: 'test report' });
    await stream.next();
    await stream.next();
    expect(given).toBeLessThan(10);
    await stream.return();
  });

  it('gives events or a coded refusal for any text', async () => {
    const piece = fc.constantFrom(
      '<a>',
      '</a>',
      '<b k="v">',
      '<!DOCTYPE ',
      '&lt;',
      '&',
      '<![CDATA[',
      ']]>',
      '-->',
      '<!--',
      '<?xml version="1.0"?>',
      'x',
      '"',
      '\u0000',
      '\ud800',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 12 }),
        fc.constantFrom('one' as const, 'many' as const),
        async (parts, documents) => {
          await heard(bytes(parts.join('')), { documents }).catch((error: unknown) => {
            expect(error).toMatchObject({ code: 'report_unreadable' });
          });
        },
      ),
      { numRuns: 500 },
    );
  });
});
