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
    const texts = [
      mergeFindings(mergeFindings(scored, plain), plain),
      mergeFindings(mergeFindings(plain, plain), scored),
      mergeFindings(mergeFindings(plain, scored), plain),
    ].map((finding) => JSON.stringify(finding));
    expect(new Set(texts).size).toBe(1);
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({ title: 'a', epss: 0 });
  });
});
