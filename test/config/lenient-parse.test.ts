import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { withoutNulls, withValueAt } from '../../src/config/json-value.ts';
import { parseLenient } from '../../src/config/lenient-parse.ts';

const Schema = z.strictObject({
  port: z.int().max(9),
  ratio: z.number().optional(),
  on: z.boolean().optional(),
  name: z.string().optional(),
  deep: z.strictObject({ list: z.array(z.strictObject({ size: z.number() })) }).optional(),
});

const messages = (raw: unknown): string[] => {
  const parsed = parseLenient(Schema, raw);
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path.join('/')} ${message}`);
};

describe('a lenient parse', () => {
  it('reads text as a number or boolean where the schema wants one, at any depth', () => {
    const raw = { port: '4', ratio: '-0.5', on: 'TRUE', name: '7', deep: { list: [{ size: '1' }, { size: 2 }] } };
    expect(parseLenient(Schema, raw)).toEqual({
      ok: true,
      value: { port: 4, ratio: -0.5, on: true, name: '7', deep: { list: [{ size: 1 }, { size: 2 }] } },
    });
  });

  it('still holds what it read to the bounds', () => {
    expect(messages({ port: '10' })).toEqual(['port expected number to be <=9']);
    expect(messages({ port: '1.5' })).toEqual([expect.stringContaining('port ')]);
  });

  it.each(['', ' 4', '0x4', '1e3', 'Infinity', '٣', 'four'])('does not take %j for a number', (text) => {
    expect(messages({ port: text })).toHaveLength(1);
  });

  it('does not take a number for text: a leading zero would already be lost', () => {
    expect(messages({ port: 1, name: 123 })).toEqual(['name must be text; put it in quotes']);
  });

  it('names unknown keys at any depth with the nearest valid one', () => {
    expect(messages({ port: 1, nmae: 'x', deep: { list: [{ size: 1, sise: 2 }] } })).toEqual([
      'deep/list/0/sise unknown key; did you mean size?',
      'nmae unknown key; did you mean name?',
    ]);
  });
});

describe('plain JSON', () => {
  it('is copied, not changed', () => {
    const value = { a: [{ b: 1 }] };
    expect(withValueAt(value, ['a', 0, 'b'], 2)).toEqual({ a: [{ b: 2 }] });
    expect(value).toEqual({ a: [{ b: 1 }] });
  });

  it('keeps a wrong value on the way, for the schema to refuse', () => {
    expect(withValueAt({ a: 5 }, ['a', 'b'], 1)).toEqual({ a: 5 });
    expect(withValueAt({}, ['a', 'b'], 1)).toEqual({ a: { b: 1 } });
  });

  it('loses keys without a value, and nothing else', () => {
    expect(withoutNulls({ a: null, b: [null, { c: null, d: 0 }], e: '' })).toEqual({ b: [null, { d: 0 }], e: '' });
  });
});
