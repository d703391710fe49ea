import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyJson, untrustedJson } from '../../src/findings/body-json.ts';
import { isPlain } from '../../src/findings/plain-text.ts';
import { Occurrence } from '../../src/model/finding.ts';

const texts = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', ' ', '\n', '"', '\\', '\t', '~', '[', ']', '{') }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\u{7f}', 'ü', '世界😀', '\u{2028}', '\\u{1b}'),
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const occurrences = fc
  .record({
    location: fc.record({ ip: maybe(texts), port: maybe(fc.nat(65_535)), file: maybe(texts) }),
    untrusted: fc.record({ output: maybe(texts), banner: maybe(texts), title: maybe(texts), response: maybe(texts) }),
    discriminator: maybe(texts),
    compliance: maybe(fc.constantFrom('passed', 'failed')),
    report_state: maybe(texts),
  })
  .map((input) => Occurrence.parse(input));

describe('the row of a finding', () => {
  it('says what JSON.stringify would say', () => {
    fc.assert(
      fc.property(occurrences, fc.array(fc.constantFrom('role_tag', 'hidden_text')), (occurrence, signals) => {
        const json = bodyJson(occurrence, untrustedJson(occurrence.untrusted), signals);
        const expected: unknown = JSON.parse(JSON.stringify({ ...occurrence, injection_signals: signals }));
        expect(JSON.parse(json)).toEqual(expected);
      }),
    );
  });

  it('knows whether all untrusted text is plain', () => {
    fc.assert(
      fc.property(occurrences, ({ untrusted }) => {
        const all = Object.values(untrusted).every((text) => text === undefined || isPlain(text));
        expect(untrustedJson(untrusted).isPlain).toBe(all);
      }),
    );
  });

  it.each(['', 'a\nb ~!"#[]^{|}', 'Server: x/1.0'])('%j is plain', (text) => {
    expect(isPlain(text)).toBe(true);
  });

  it.each(['\t', '\r', '\u{0}', '\u{1f}', '\u{7f}', '\\', 'ü', '😀', '\u{d800}'])('%j is not plain', (text) => {
    expect(isPlain(`a${text}b`)).toBe(false);
  });
});
