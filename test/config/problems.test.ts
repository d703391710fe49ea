import { describe, expect, it } from 'vitest';
import { problemsText } from '../../src/config/problems.ts';

describe('problemsText', () => {
  it('tells each problem once, in the order found', () => {
    const [a, b] = [
      { where: 'x.yaml:2:1', message: 'wrong' },
      { where: 'x.yaml:1:1', message: 'wrong' },
    ] as const;
    expect(problemsText([a, b, a, a])).toBe('x.yaml:2:1: wrong\nx.yaml:1:1: wrong');
  });

  it('bounds what it tells', () => {
    const many = Array.from({ length: 43 }, (_, line) => ({ where: `x.yaml:${line}`, message: 'wrong' }));
    expect(problemsText(many).split('\n').at(-1)).toBe('and 3 more');
  });
});
