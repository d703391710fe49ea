import { describe, expect, it } from 'vitest';
import type { Suppressions } from '../../src/findings/findings.ts';
import { createListKeeper, createListSender } from '../../src/findings/suppressions-once.ts';
import type { ListMessage } from '../../src/findings/suppressions-once.ts';

const judged = (version: string, count = 3): Suppressions => ({
  version,
  entries: Array.from({ length: count }, (_, n) => ({
    fingerprint: n.toString(16).padStart(32, '0'),
    status: 'mitigated',
    reason: version,
    who: 'local',
    expiresAt: 4e12,
  })),
});

/** Both sides, with everything that passed between them as a thread would get it: cloned. */
function bothSides() {
  const posted: ListMessage[] = [];
  const keeper = createListKeeper();
  const light = createListSender((message) => {
    posted.push(message);
    keeper.hear(structuredClone(message));
  });
  return { posted, light, cross: <I extends object>(input: I): I => keeper.restore(structuredClone(light(input))) };
}

describe('judgements on their way to a thread', () => {
  it('are sent with the first question and none after it', () => {
    const { posted, light, cross } = bothSides();
    const suppressions = judged('one', 50_000);
    expect(cross({ number: 1, suppressions })).toEqual({ number: 1, suppressions });
    expect(posted.map(({ name }) => name)).toEqual(['keep']);
    expect(cross({ number: 2, suppressions })).toEqual({ number: 2, suppressions });
    expect(JSON.stringify(light({ number: 3, suppressions })).length).toBeLessThan(100);
    expect(posted).toHaveLength(1);
  });

  it('are another list after every change, whatever its version is called', () => {
    const { posted, cross } = bothSides();
    const [mine, theirs] = [judged('1.5'), judged('1.5', 2)];
    for (const suppressions of [mine, theirs, mine, theirs]) expect(cross({ suppressions })).toEqual({ suppressions });
    expect(posted).toHaveLength(2);
  });

  it('are forgotten when others came after them, and sent again when they are asked for', () => {
    const { posted, cross } = bothSides();
    const lists = Array.from({ length: 5 }, (_, n) => judged(String(n)));
    for (const suppressions of lists) expect(cross({ suppressions })).toEqual({ suppressions });
    expect(posted.filter(({ name }) => name === 'forget')).toEqual([{ name: 'forget', list: 1 }]);
    const [first] = lists;
    expect(cross({ suppressions: first })).toEqual({ suppressions: first });
    expect(posted.filter(({ name }) => name === 'keep')).toHaveLength(6);
  });

  it('are found in the request of an export, and cost nothing where there are none', () => {
    const { posted, cross } = bothSides();
    const none = { version: '', entries: [] };
    for (const input of [{ file: 'a' }, { suppressions: none }, { request: { kind: 'native', report: 'r' } }])
      expect(cross(input)).toEqual(input);
    expect(posted).toEqual([]);
    const input = { folder: 'f', request: { kind: 'findings', suppressions: judged('one') } };
    expect(cross(input)).toEqual(input);
    expect(posted).toHaveLength(1);
  });

  it('are a defect when the thread never got them', () => {
    const { light } = bothSides();
    const question = light({ suppressions: judged('one') });
    expect(() => createListKeeper().restore(question)).toThrow(/judgements that were not sent/);
  });
});
