import { describe, expect, it } from 'vitest';
import { mergeFindings } from '../../src/findings/merge-findings.ts';
import { ParsedFinding } from '../../src/model/finding.ts';

const found = (title: string, epss?: number): ParsedFinding =>
  ParsedFinding.parse({
    rule_id: 'r',
    title,
    severity: 'info',
    severity_source: 'rule',
    location: {},
    ...(epss === undefined ? {} : { epss }),
  });

describe('two findings of one weakness', () => {
  it('become the same text in any order, whichever of them has a score', () => {
    const [scored, plain] = [found('b', 0), found('a')];
    // As ingest does it: what is known so far comes back from the store.
    const fold = (...all: readonly ParsedFinding[]): string =>
      JSON.stringify(all.reduce((known, next) => mergeFindings(ParsedFinding.parse(known), next)));
    const texts = [fold(scored, plain, plain), fold(plain, plain, scored), fold(plain, scored, plain)];
    expect(new Set(texts).size).toBe(1);
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({ title: 'a', epss: 0 });
  });
});
