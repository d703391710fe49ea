import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../src/model/finding.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { found } from './reports.ts';
import { written } from './written.ts';
import type { Written } from './written.ts';

const seen = (output: string): ReportEvent => found({ untrusted: { output } });

const plainOf = (event: ReportEvent): string => {
  if (event.kind !== 'finding') throw new Error('no finding');
  return fingerprint('baseline', event.finding);
};

/** What a finding says, by its fingerprint. */
const contents = ({ findings }: Written): Map<string, string> =>
  new Map(
    findings.map(({ fingerprint: print, rule, body: { injection_signals: _signals, ...body } }) => [
      print,
      JSON.stringify([rule, body]),
    ]),
  );

/** Fingerprint of the finding whose words or place hold a text. */
const printOf = ({ findings }: Written, text: string): string | undefined =>
  findings.find(({ body }) => JSON.stringify(body).includes(JSON.stringify(text).slice(1, -1)))?.fingerprint;

/** All with one plain fingerprint. */
const anyRepeat = fc
  .record({
    ip: fc.constantFrom('10.0.0.1', '10.0.0.2', undefined),
    line: fc.constantFrom(3, 5, undefined),
    version: fc.constantFrom('1.0', '1.1', undefined),
    output: fc.constantFrom('a', 'b', 'c', undefined),
    title: fc.constantFrom('A weakness', 'A Weakness'),
    severity: fc.constantFrom('low' as const, 'high' as const),
    report_state: fc.constantFrom('reviewed', undefined),
  })
  .map(({ ip, line, version, output, ...over }) =>
    found({
      ...over,
      location: { host: 'app.test', port: 80, file: 'a.ts', ip, line, version },
      untrusted: { output },
    }),
  );

const repeatsAndSome = fc
  .array(anyRepeat, { minLength: 2, maxLength: 8 })
  .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: 1 })));

describe('items with one plain fingerprint', () => {
  it('never give what is left the fingerprint that another had, whichever of them go', async () => {
    await fc.assert(
      fc.asyncProperty(repeatsAndSome, async ([all, some]) => {
        const before = contents(await written(all));
        const after = contents(await written(some));
        expect(before.size).toBe(all.length);
        expect(after.size).toBe(some.length);
        for (const [print, content] of after) expect(before.get(print) ?? content).toBe(content);
      }),
      { numRuns: 100 },
    );
  });

  it('get the same fingerprints in any order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .array(anyRepeat, { minLength: 2, maxLength: 8 })
          .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        async ([all, shuffled]) => {
          expect(contents(await written(shuffled))).toEqual(contents(await written(all)));
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each(['/a harmless', '/b x', '/c passwords'])('keep theirs when %s goes', async (gone) => {
    const left = ['/a harmless', '/b x', '/c passwords'].filter((output) => output !== gone);
    const before = await written([seen(gone), ...left.map(seen)]);
    const after = await written(left.map(seen));
    for (const text of left) expect(printOf(after, text)).toBe(printOf(before, text));
  });

  it('leave the plain one to a finding that is alone, so that a judgement on it names none of several', async () => {
    const plain = plainOf(seen('a'));
    expect([...contents(await written([seen('a')])).keys()]).toEqual([plain]);
    expect([...contents(await written([seen('a'), seen('b')])).keys()]).not.toContain(plain);
  });

  it('count only what is the same in everything, and the first of those keeps its fingerprint', async () => {
    const [one, two] = [await written([seen('a'), seen('b')]), await written([seen('a'), seen('b'), seen('a')])];
    expect([...contents(two).keys()]).toEqual(expect.arrayContaining([...contents(one).keys()]));
    const same = [...contents(await written([seen('a'), seen('a'), seen('a')])).keys()];
    expect(new Set(same).size).toBe(3);
    expect(same).toContain(plainOf(seen('a')));
  });

  it.each([
    ['address', { host: 'app.test', ip: '10.0.0.2' }, { host: 'app.test', ip: '10.0.0.10' }],
    ['version', { package: 'p', version: '1.1' }, { package: 'p', version: '1.0' }],
  ])('are told apart by %s, whatever else they say', async (_what, a, b) => {
    const at = (location: object, output: string, epss: number) => found({ location, untrusted: { output }, epss });
    const prints = async (first: ReportEvent, second: ReportEvent) => {
      const { findings } = await written([first, second]);
      return new Map(findings.map(({ body, fingerprint: print }) => [JSON.stringify(body['location']), print]));
    };
    const before = await prints(at(a, 'x', 0.1), at(b, 'y', 0.1));
    for (const [one, two] of [
      ['y', 'x'],
      ['z', 'z'],
    ] as const) {
      expect(await prints(at(b, two, 0.3), at(a, one, 0.2))).toEqual(before);
    }
  });

  it('keep theirs when lines move, and are told apart by line where they say the same', async () => {
    const at = (line: number, output: string) => found({ location: { file: 'a.ts', line }, untrusted: { output } });
    const before = await written([at(3, 'key one'), at(4, 'key two')]);
    const moved = await written([at(4, 'key one'), at(5, 'key two')]);
    for (const text of ['key one', 'key two']) expect(printOf(moved, text)).toBe(printOf(before, text));
    const same = contents(await written([at(3, 'key'), at(4, 'key'), at(9, 'key')]));
    const fewer = contents(await written([at(4, 'key'), at(9, 'key')]));
    expect([...same.keys()]).toEqual(expect.arrayContaining([...fewer.keys()]));
  });
});
