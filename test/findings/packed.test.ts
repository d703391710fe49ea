import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float64Column, int32Column, uint8Column } from '../../src/findings/growing-column.ts';
import { EXPLOIT, KEV, NONE } from '../../src/findings/layout.ts';
import { createRecentTexts } from '../../src/findings/recent-texts.ts';
import { createStableOrder, sortWithinEqual } from '../../src/findings/stable-order.ts';
import { createTextIds } from '../../src/findings/text-ids.ts';
import { createTurns } from '../../src/findings/turns.ts';
import { rankRules, urgencyClass } from '../../src/findings/urgency.ts';
import { createWordsBlocks } from '../../src/findings/words-blocks.ts';

describe('growing columns', () => {
  it('keep every number, however many there are', () => {
    const column = int32Column();
    const numbers = Array.from({ length: 5_000 }, (_, index) => index * 7 - 9_000);
    for (const number of numbers) column.push(number);
    expect([...column.values()]).toEqual(numbers);
    expect([...uint8Column().values()]).toEqual([]);
    const scores = float64Column();
    scores.push(0.1);
    expect([...scores.values()]).toEqual([0.1]);
  });
});

describe('text ids', () => {
  it('give every different text one dense id, also long after it was seen', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9_000), { maxLength: 400 }), (numbers) => {
        const kept: string[] = [];
        const ids = createTextIds((id, text) => {
          expect(id).toBe(kept.length);
          kept.push(text);
        });
        const many = [...numbers, ...Array.from({ length: 6_000 }, (_, index) => index), ...numbers];
        for (const number of many) {
          const text = `text ${number}`;
          expect(kept[ids.idOf(text)]).toBe(text);
        }
        expect(new Set(kept).size).toBe(kept.length);
        expect(kept.length).toBe(new Set(many).size);
      }),
      { numRuns: 5 },
    );
  });

  it('do not rely on what is remembered', () => {
    const kept: string[] = [];
    const ids = createTextIds((_, text) => void kept.push(text));
    const texts = Array.from({ length: 3_000 }, (_, index) => `${index} ${'x'.repeat(1_000)}`);
    const first = texts.map((text) => ids.idOf(text));
    expect(texts.map((text) => ids.idOf(text))).toEqual(first);
    expect(kept).toHaveLength(3_000);
  });
});

describe('recent texts', () => {
  it('keep what is asked for and forget the rest', () => {
    const recent = createRecentTexts<number>(1_000);
    recent.set('kept', 1);
    recent.set('lost', 2);
    for (let index = 0; index < 100; index += 1) {
      recent.set(`other ${index}`, index);
      expect(recent.get('kept')).toBe(1);
    }
    expect(recent.get('lost')).toBeUndefined();
  });
});

describe('stable order', () => {
  it('sorts like a sort by the same keys, the last one first', () => {
    const pairs = fc.array(fc.tuple(fc.nat(65_535), fc.nat(3)), { maxLength: 300 });
    fc.assert(
      fc.property(pairs, (items) => {
        const order = createStableOrder(items.length);
        order.sortBy(Uint16Array.from(items, ([low]) => low));
        order.sortBy(Uint16Array.from(items, ([, high]) => high));
        const expected = items
          .map(([low, high], index) => ({ low, high, index }))
          .toSorted((a, b) => a.high - b.high || a.low - b.low || a.index - b.index);
        expect([...order.items()]).toEqual(expected.map(({ index }) => index));
      }),
    );
  });

  it('finishes what is equal so far', () => {
    const items = Uint32Array.of(30, 31, 12, 11, 10, 20);
    const tens = (item: number) => Math.floor(item / 10);
    sortWithinEqual(
      items,
      (a, b) => tens(a) === tens(b),
      (a, b) => a - b,
    );
    expect([...items]).toEqual([30, 31, 10, 11, 12, 20]);
  });
});

describe('ranks of rules', () => {
  const score = fc.oneof(
    fc.constantFrom(NONE, 0, 0.1, 0.0999999, 1, 10, 9.8),
    fc.double({ min: 0, max: 10, noNaN: true }),
  );
  const rule = fc.record({
    severity: fc.nat(4),
    flags: fc.constantFrom(0, KEV, EXPLOIT, KEV | EXPLOIT),
    cvss: score.map((value) => value + 0),
    epss: score.map((value) => (value > 1 ? value / 10 : value) + 0),
  });
  type Rule = typeof rule extends fc.Arbitrary<infer R> ? R : never;

  /** Most urgent first: the order of docs/findings.md, key by key. */
  const compare = (a: Rule, b: Rule): number => {
    const likely = ({ flags, epss }: Rule) => flags !== 0 || epss >= 0.1;
    const level = (one: Rule) => one.severity - (likely(one) && one.severity < 4 ? 1 : 0);
    return (
      (b.flags & KEV) - (a.flags & KEV) ||
      level(a) - level(b) ||
      Number(likely(b)) - Number(likely(a)) ||
      b.epss - a.epss ||
      b.cvss - a.cvss ||
      a.severity - b.severity
    );
  };

  it('follow the documented order, and equal rules share one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(rule, { minLength: 1, maxLength: 60 }), async (rules) => {
        const ranks = await rankRules(
          {
            count: rules.length,
            severity: Uint8Array.from(rules, ({ severity }) => severity),
            flags: Uint8Array.from(rules, ({ flags }) => flags),
            cvss: Float64Array.from(rules, ({ cvss }) => cvss),
            epss: Float64Array.from(rules, ({ epss }) => epss),
          },
          () => Promise.resolve(),
        );
        rules.forEach((a, i) =>
          rules.forEach((b, j) => {
            expect(Math.sign((ranks[i] ?? 0) - (ranks[j] ?? 0))).toBe(Math.sign(compare(a, b)) + 0);
          }),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('never raise what is only for information', () => {
    expect(urgencyClass(4, EXPLOIT, 1)).toBeGreaterThan(urgencyClass(3, 0, NONE));
    expect(urgencyClass(1, EXPLOIT, NONE)).toBeLessThan(urgencyClass(0, 0, NONE));
  });
});

describe('blocks of words', () => {
  it('give back every text at its place, also texts of more than a block', () => {
    const texts = Array.from({ length: 700 }, (_, index) => `${index} ${'Ä'.repeat((index * 97) % 20_000)}`);
    const back: string[] = [];
    const blocks = createWordsBlocks((first, offsets, text) => {
      expect(first).toBe(back.length);
      const starts = [...new Uint32Array(Uint8Array.from(offsets).buffer), text.length];
      const bytes = Buffer.from(text);
      for (let at = 0; at + 1 < starts.length; at += 1) back.push(bytes.toString('utf8', starts[at], starts[at + 1]));
    });
    for (const text of texts) blocks.add(text);
    blocks.flush();
    expect(back).toEqual(texts.map((text) => text.toLowerCase()));
  });

  it('lose nothing of a text that is longer than a block', () => {
    const texts = ['one', '世'.repeat(600_000), 'two', 'İ'.repeat(300_000), 'three'];
    const back: string[] = [];
    const blocks = createWordsBlocks((_first, offsets, text) => {
      const starts = [...new Uint32Array(Uint8Array.from(offsets).buffer), text.length];
      const bytes = Buffer.from(text);
      for (let at = 0; at + 1 < starts.length; at += 1) back.push(bytes.toString('utf8', starts[at], starts[at + 1]));
    });
    for (const text of texts) blocks.add(text);
    blocks.flush();
    expect(back.map((text) => text.length)).toEqual(texts.map((text) => text.toLowerCase().length));
    expect(back.every((text, at) => text === texts[at]?.toLowerCase())).toBe(true);
  });
});

describe('turns', () => {
  it('come when enough time has passed, and not before', async () => {
    let now = 0;
    const turns = createTurns(() => now);
    const ask = () => Array.from({ length: 64 }, () => turns.ifDue()).filter((turn) => turn !== undefined);
    expect(ask()).toEqual([]);
    now = 9;
    const due = ask();
    expect(due.length).toBeGreaterThan(0);
    await Promise.all(due);
    expect(ask()).toEqual([]);
  });
});
