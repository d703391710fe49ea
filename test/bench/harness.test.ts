import { describe, expect, it } from 'vitest';
import { compare, percentile, type Side } from '../../bench/harness.ts';

/** Sides whose unit takes a known time on a clock of their own. */
function clockwork() {
  let now = 0;
  const order: string[] = [];
  const side = (name: string, durationMs: (count: number) => number): Side => {
    let count = 0;
    return {
      name,
      once() {
        order.push(name);
        now += durationMs(count);
        count += 1;
        return Promise.resolve();
      },
    };
  };
  return { clock: () => now, order, side };
}

describe('a comparison', () => {
  it('says how much slower the subject is, and at what rate both go', async () => {
    const { clock, side } = clockwork();
    const [floor, subject] = [side('floor', () => 2), side('subject', () => 3)];
    const result = await compare({ name: 'x', floor, subject, rounds: 4, perRound: 10, clock });
    expect(result.ratio.p50).toBe(1.5);
    expect(result.ratio.perSecond).toBeCloseTo(2 / 3);
    expect(result.floor).toEqual({ name: 'floor', p50: 2, p99: 2, perSecond: 500 });
  });

  it('lets both sides take turns at going first, after a warm-up that does not count', async () => {
    const { clock, order, side } = clockwork();
    const floor = side('f', (count) => (count === 0 ? 1_000 : 1));
    await compare({ name: 'x', floor, subject: side('s', () => 1), rounds: 3, perRound: 1, warmUp: 1, clock }).then(
      ({ floor: { p99 } }) => expect(p99).toBe(1),
    );
    expect(order.join('')).toBe('fs' + 'fs' + 'sf' + 'fs');
  });

  it('is not decided by one round in which the machine was busy', async () => {
    const { clock, side } = clockwork();
    const subject = side('subject', (count) => (count >= 20 && count < 30 ? 1_000 : 2));
    const floor = side('floor', () => 2);
    const { ratio } = await compare({ name: 'x', floor, subject, rounds: 5, perRound: 10, clock });
    expect(ratio.p50).toBe(1);
  });

  it('runs as many units as were asked for, also several at a time', async () => {
    const { clock, order, side } = clockwork();
    const [floor, subject] = [side('f', () => 1), side('s', () => 1)];
    await compare({ name: 'x', floor, subject, rounds: 2, perRound: 7, warmUp: 0, concurrency: 3, clock });
    expect(order.filter((name) => name === 's')).toHaveLength(14);
  });
});

describe('a percentile', () => {
  it('is one of the values, by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0, 0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([1, 50, 99, 100]);
    expect(percentile([7], 0.99)).toBe(7);
  });
});
