import fc from 'fast-check';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readJsonLines, type JsonLine } from '../../src/platform/json-lines.ts';

async function read(text: string | Buffer, size = 7, maxLineBytes?: number) {
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
  const lines: JsonLine[] = [];
  let error: unknown;
  try {
    const options = { what: 'test report', ...(maxLineBytes === undefined ? {} : { maxLineBytes }) };
    for await (const batch of readJsonLines(Readable.from(pieces), options)) lines.push(...batch);
  } catch (thrown) {
    error = thrown;
  }
  return { lines, values: lines.map(({ value }) => value), error };
}

describe('readJsonLines', () => {
  it('gives every line, wherever the source is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue(), { maxLength: 20 }),
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom('\n', '\r\n', '\n\n  \n'),
        fc.boolean(),
        async (values, size, end, isEnded) => {
          const text = values.map((value) => JSON.stringify(value)).join(end) + (isEnded ? end : '');
          const { values: found, error } = await read(text, size);
          expect(error).toBeUndefined();
          expect(found).toEqual(values.map((value) => JSON.parse(JSON.stringify(value))));
        },
      ),
      { numRuns: 200, endOnFailure: true },
    );
  });

  it('tells lines and bytes', async () => {
    const { lines } = await read('\uFEFF{"é":1}\n\n[2]\r\n3');
    expect(lines).toEqual([
      { value: { é: 1 }, line: 1, offset: 3 },
      { value: [2], line: 3, offset: 13 },
      { value: 3, line: 4, offset: 18 },
    ]);
  });

  it('gives the lines around one that is cut or no JSON, and then its place', async () => {
    const { values, error } = await read('{"a":1}\n{"b":\n{"c":3}\n');
    expect(values).toEqual([{ a: 1 }, { c: 3 }]);
    expect(error).toMatchObject({
      code: 'report_unreadable',
      message:
        'The test report has a line 2 that is not JSON; it begins at byte 8. 1 of 3 lines cannot be read; the others were.',
    });
    const cut = await read('{"a":1}\n{"b":"x');
    expect(cut.values).toEqual([{ a: 1 }]);
    expect(cut.error).toMatchObject({
      message:
        'The test report has a line 2 that is cut short; it begins at byte 8. 1 of 2 lines cannot be read; the other one was.',
    });
  });

  it('gives up at once on what is no JSON lines, and on too many bad ones', async () => {
    expect(await read('<html>\n{"a":1}\n')).toMatchObject({ values: [], error: { code: 'report_unreadable' } });
    const noisy = await read(`1\n${'oops\n'.repeat(200)}2\n`);
    expect(noisy.values).toEqual([1]);
    expect(noisy.error).toMatchObject({ code: 'report_unreadable' });
  });

  it('limits a line, also one that never ends', async () => {
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield Buffer.alloc(1_000, 0x78);
    }
    const reading = readJsonLines(endless(), { what: 'test report', maxLineBytes: 10_000 });
    const drain = async (): Promise<void> => {
      for await (const lines of reading) expect(lines).toEqual([]);
    };
    await expect(drain()).rejects.toMatchObject({ message: expect.stringContaining('line 1 that is too long') });
  });
});

describe('a line that nobody can read', () => {
  it.each([
    ['is too long', `"${'x'.repeat(300)}"`],
    ['is not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('hides none of the others: %s', async (problem, bad) => {
    const text = Buffer.concat([Buffer.from('1\n'), Buffer.from(bad), Buffer.from('\n"é"\n3\n')]);
    for (const size of [1, 7, 1_000]) {
      const { lines, error } = await read(text, size, 100);
      const values = lines.map(({ value, line }) => [line, value]);
      expect(values).toEqual([
        [1, 1],
        [3, 'é'],
        [4, 3],
      ]);
      expect(error).toMatchObject({
        code: 'report_unreadable',
        message: expect.stringContaining(`a line 2 that ${problem}; it begins at byte 2`),
      });
    }
  });

  it('is no damage where it is a message of the tool', async () => {
    const options = { what: 'test report', isMessage: (line: string) => line.startsWith('[INF]') };
    const values: unknown[] = [];
    const source = Readable.from([Buffer.from('[INF] a\n1\n[INF] b\n2\n')]);
    for await (const batch of readJsonLines(source, options)) values.push(...batch.map(({ value }) => value));
    expect(values).toEqual([1, 2]);
  });
});
