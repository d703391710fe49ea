import fc from 'fast-check';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import type { JsonPlan } from '../../src/platform/json-plan.ts';
import { readJson, type JsonOptions, type JsonPart } from '../../src/platform/json-stream.ts';

const PLAN: JsonPlan = {
  name: 'root',
  members: {
    before: { take: 'before' },
    list: {
      name: 'list',
      each: { name: 'element', members: { items: { each: { take: 'item' } }, word: { take: 'word' } } },
    },
    after: { take: 'after' },
  },
};

const pieces = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));

async function read(text: string | Buffer, size = 7, options: Partial<JsonOptions> = {}, plan = PLAN) {
  const parts: JsonPart[] = [];
  let error: unknown;
  try {
    for await (const part of readJson(Readable.from(pieces(Buffer.from(text), size)), plan, {
      what: 'test report',
      ...options,
    }))
      parts.push(part);
  } catch (thrown) {
    error = thrown;
  }
  const values = parts.flatMap((part) => (part.kind === 'value' ? [[part.name, part.value]] : []));
  return { parts, values, error };
}

const refusal = async (text: string | Buffer, options?: Partial<JsonOptions>): Promise<string> => {
  const { error } = await read(text, 5, options);
  expect(error).toBeInstanceOf(AppError);
  return error instanceof AppError ? `${error.code}: ${error.message}` : '';
};

const words = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"', '\\', '\\"', '\\\\', '\u2028', '}', '[', '😀', '\ud800'),
);
/**
 * JSON.parse of Node 24 (seen in 24.21) takes keys of one object that are written with escapes for one another: of
 * `{"é䫷":0,"\\\"":1,"\\\\":2}` it loses one. Such a key stands alone here.
 */
const plainKeys = words.filter((word) => JSON.stringify(word) === `"${word}"`);
const scalars = fc.oneof(
  words,
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalars,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(plainKeys, tie('value'), { maxKeys: 4 }),
    fc.tuple(words, tie('value')).map(([key, value]) => ({ [key]: value })),
  ),
})).value;

const documents = fc.record({
  skipped: anyValue,
  before: anyValue,
  list: fc.array(fc.record({ noise: anyValue, items: fc.array(anyValue, { maxLength: 4 }), word: scalars }), {
    maxLength: 4,
  }),
  after: anyValue,
});

describe('readJson', () => {
  it('gives what JSON.parse gives, wherever the source is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(documents, fc.integer({ min: 1, max: 40 }), fc.boolean(), async (value, size, pretty) => {
        const text = JSON.stringify(value, null, pretty ? 2 : 0);
        const parsed: typeof value = JSON.parse(text);
        const { values, error } = await read(text, size);
        expect(error).toBeUndefined();
        const { before, list, after } = parsed;
        const expected = [
          ['before', before],
          ...list.flatMap(({ items, word }) => [...items.map((item) => ['item', item]), ['word', word]]),
          ['after', after],
        ];
        expect(values).toEqual(expected);
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it('gives what was whole of a document that is cut short, and says so', async () => {
    await fc.assert(
      fc.asyncProperty(documents, fc.double({ min: 0, max: 0.999, noNaN: true }), async (value, share) => {
        const bytes = Buffer.from(JSON.stringify(value));
        const whole = await read(bytes);
        const cut = await read(bytes.subarray(0, Math.floor(bytes.length * share)));
        expect(cut.error).toMatchObject({ code: 'report_unreadable' });
        expect(cut.parts).toEqual(whole.parts.slice(0, cut.parts.length));
      }),
      { numRuns: 200, endOnFailure: true },
    );
  });

  it('never gives anything but parts or report_unreadable, whatever the bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(documents, fc.nat(), fc.nat({ max: 255 }), async (value, at, byte) => {
        const bytes = Buffer.from(JSON.stringify(value));
        bytes[at % bytes.length] = byte;
        const { error } = await read(bytes);
        if (error !== undefined) expect(error).toMatchObject({ code: 'report_unreadable' });
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });

  it('tells places by index and byte', async () => {
    const { parts } = await read('{"list":[{"items":[1,22]},{"items":["x"]}]}');
    expect(parts.filter(({ kind }) => kind === 'value')).toEqual([
      { kind: 'value', name: 'item', value: 1, index: 0, offset: 19 },
      { kind: 'value', name: 'item', value: 22, index: 1, offset: 21 },
      { kind: 'value', name: 'item', value: 'x', index: 0, offset: 36 },
    ]);
    expect(parts.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'open root',
      'open list',
      'open element',
      'value item',
      'value item',
      'close element',
      'open element',
      'value item',
      'close element',
      'close list',
      'close root',
    ]);
  });

  it('takes null for an empty list or object', async () => {
    expect(await read('{"list":null}')).toMatchObject({ error: undefined, values: [] });
    expect(await read('{"list":[null,{"items":null}]}')).toMatchObject({ error: undefined, values: [] });
    expect(await read('null')).toMatchObject({ error: undefined, values: [] });
  });

  it('tolerates a byte order mark and white space', async () => {
    const text = `\uFEFF \n{ "before" :\t1 }\r\n`;
    expect(await read(text, 1)).toMatchObject({ error: undefined, values: [['before', 1]] });
  });

  it.each([
    ['', 'has nothing in it at byte 0'],
    ['   ', 'has nothing in it at byte 3'],
    ['{"before":1', 'ends too early, it was cut short at byte 11'],
    ['{"before":1}}', 'goes on after its end at byte 12'],
    ['{"before":1} {}', 'goes on after its end at byte 13'],
    ['{"before":1,}', 'is not JSON'],
    ['{before:1}', 'is not JSON'],
    ['{"before":tru}', 'is not JSON at byte 10'],
    ['{"before":01}', 'is not JSON at byte 10'],
    ['{"other":nope}', 'is not JSON at byte 9'],
    ['{"other":[1}}', 'has brackets that do not match at byte 9'],
    ['{"before":{"a":[}]}}', 'has brackets that do not match at byte 10'],
    ['{"list":[{"items":[1,2,{"a"}]}]}', 'is not JSON in item 3 at byte 23'],
    ['{"list":{}}', 'has no list where one is due at byte 8'],
    ['{"list":[[]]}', 'has no object where one is due in item 1 at byte 9'],
    ['[]', 'has no object where one is due at byte 0'],
    ['{"before":1,"before":2}', 'has the key "before" twice at byte 12'],
    ['{"before":1,"b\\u0065fore":2}', 'has the key "before" twice at byte 12'],
  ])('refuses %j with its place', async (text, expected) => {
    expect(await refusal(text)).toContain(`report_unreadable: The test report ${expected}`);
  });

  it('keeps keys it has no plan for out of memory and out of the way, also __proto__', async () => {
    const text = '{"__proto__":{"before":9},"constructor":[1],"x":1,"x":2,"before":{"__proto__":5}}';
    const { values, error } = await read(text);
    expect(error).toBeUndefined();
    expect(values).toEqual([['before', JSON.parse('{"__proto__":5}')]]);
  });

  it('limits one value, and how deep values go, kept or not', async () => {
    expect(await refusal(`{"before":"${'x'.repeat(100)}"}`, { maxItemBytes: 50 })).toContain(
      'has too long a value at byte 10',
    );
    expect((await read(`{"skipped":"${'x'.repeat(1_000)}","before":1}`, 9, { maxItemBytes: 50 })).values).toEqual([
      ['before', 1],
    ]);
    const deep = `${'['.repeat(300)}${']'.repeat(300)}`;
    expect(await refusal(`{"before":${deep}}`)).toContain('has values nested too deep at byte 10');
    expect(await refusal(`{"skipped":${deep}}`)).toContain('has values nested too deep at byte 11');
    expect(await refusal('[{"a":'.repeat(100_000))).toContain('report_unreadable');
  });

  it('refuses what is no UTF-8, naming the byte, after what was whole', async () => {
    const bad = Buffer.concat([
      Buffer.from('{"before":"é","list":[{"items":[1,"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"]}]}'),
    ]);
    const { values, error } = await read(bad, 64);
    expect(values).toEqual([
      ['before', 'é'],
      ['item', 1],
    ]);
    expect(error).toMatchObject({ message: 'The test report has bytes that are not UTF-8 at byte 36.' });
    const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
    expect(await refusal(utf16('\uFEFF{"before":1}'))).toContain('is in UTF-16 or UTF-32; save it as UTF-8');
    expect(await refusal(utf16('{"before":1}'))).toContain('is in UTF-16 or UTF-32; save it as UTF-8');
    expect(await refusal(Buffer.from([0x1f, 0x8b, 8, 0]))).toContain('is compressed with gzip');
    expect(await refusal(Buffer.from('{"before":"é').subarray(0, -1))).toContain('ends in the middle of a character');
  });

  it('reads numbers at the end of a document and large lists in one go', async () => {
    expect(await read('12', 1, {}, { take: 'number' })).toMatchObject({ error: undefined, values: [['number', 12]] });
    const { values } = await read(
      `{"list":[{"items":[${Array.from({ length: 20_000 }, (_, at) => at).join()}]}]}`,
      1 << 20,
    );
    expect(values).toHaveLength(20_000);
  });
});

describe('a value of which only some members are taken', () => {
  const plan: JsonPlan = {
    each: {
      take: 'item',
      only: { id: { take: 'id' }, notes: { each: { take: 'note', only: { level: { take: 'level' } } } } },
    },
  };
  const long = 'x'.repeat(5_000);

  it('has room for any length of the others, in any order', async () => {
    const text = JSON.stringify([
      { waste: long, id: 1, more: { id: 9, list: [long] } },
      { id: { deep: [2] }, waste: [long] },
      {},
      'no object',
    ]);
    const { values, error, parts } = await read(text, 7, { maxItemBytes: 200 }, plan);
    expect(error).toBeUndefined();
    expect(values).toEqual([
      ['item', { id: 1 }],
      ['item', { id: { deep: [2] } }],
      ['item', {}],
      ['item', 'no object'],
    ]);
    expect(parts.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(parts[1]?.offset).toBe(text.indexOf('{"id":{'));
  });

  it('gives the elements of a list in it one by one, and passes over what is no list', async () => {
    const notes = Array.from({ length: 100 }, () => ({ level: 'error', text: long }));
    const text = JSON.stringify([{ notes, id: 1 }, { notes: 7 }, { notes: { level: 'error' }, id: 2 }]);
    const { values, error } = await read(text, 999, { maxItemBytes: 200 }, plan);
    expect(error).toBeUndefined();
    expect(values.filter(([name]) => name === 'note')).toHaveLength(100);
    expect(values.filter(([name]) => name === 'item')).toEqual([
      ['item', { id: 1 }],
      ['item', {}],
      ['item', { id: 2 }],
    ]);
  });

  it('takes the last of two equal keys, and is no longer than any value', async () => {
    expect((await read('[{"id":1,"id":2}]', 3, {}, plan)).values).toEqual([['item', { id: 2 }]]);
    const { error } = await read(`[{"id":"${long}"}]`, 7, { maxItemBytes: 200 }, plan);
    expect(error).toMatchObject({ code: 'report_unreadable', message: expect.stringContaining('too long a value') });
    const twice = `"id":"${'x'.repeat(150)}"`;
    const both = await read(`[{${twice},${twice}}]`, 7, { maxItemBytes: 200 }, plan);
    expect(both.error).toMatchObject({ message: expect.stringContaining('too long a value') });
  });
});

describe('a text that may be cut', () => {
  const plan: JsonPlan = { each: { take: 'text', cutBytes: 20 } };
  const wellFormed = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('"', '\\', '\n', '\u0000', '😀'));

  it('is cut to whole characters and escapes, wherever the limit falls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(wellFormed, { maxLength: 30 }), fc.integer({ min: 1, max: 9 }), async (parts, size) => {
        const whole = parts.join('');
        const { values, error } = await read(JSON.stringify([whole, 1]), size, { maxItemBytes: 60 }, plan);
        expect(error).toBeUndefined();
        const [[, text] = [], ...rest] = values;
        expect(rest).toEqual([['text', 1]]);
        expect(typeof text === 'string' && whole.startsWith(text)).toBe(true);
      }),
    );
    for (const whole of ['\\'.repeat(50), `${'\\'.repeat(9)}\u0000`.repeat(5), 'é'.repeat(50), `x${'\n'.repeat(50)}`]) {
      const { values } = await read(JSON.stringify([whole]), 7, {}, plan);
      const text = String(values[0]?.[1]);
      expect(whole.startsWith(text) && text.length >= 3).toBe(true);
    }
  });

  it('is whole when it is short', async () => {
    expect((await read('["eighteen letters..", {"a":"0123456789012345678901234"}]', 7, {}, plan)).values).toEqual([
      ['text', 'eighteen letters..'],
      ['text', { a: '0123456789012345678901234' }],
    ]);
  });
});
