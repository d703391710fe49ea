import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeStatus, noCoverage, PlaceStatus, verdictOf } from '../../src/model/coverage.ts';

const status = fc.constantFrom(...PlaceStatus.options);
const counts = fc
  .record({
    tested: fc.nat({ max: 5 }),
    partial: fc.nat({ max: 5 }),
    unreachable: fc.nat({ max: 5 }),
    not_tested: fc.nat({ max: 5 }),
  })
  .map((places) => ({
    ...noCoverage(places.tested + places.partial + places.unreachable + places.not_tested),
    ...places,
  }));

describe('the verdict', () => {
  it('is complete only when every place was tested and the engine came to its end', () => {
    fc.assert(
      fc.property(counts, fc.boolean(), (coverage, endedWhole) => {
        const isWhole = endedWhole && coverage.requested > 0 && coverage.tested === coverage.requested;
        expect(verdictOf(coverage, endedWhole) === 'complete').toBe(isWhole);
      }),
    );
  });

  it('is not_tested exactly when nothing was looked at', () => {
    fc.assert(
      fc.property(counts, fc.boolean(), (coverage, endedWhole) => {
        const nothing = coverage.tested === 0 && coverage.partial === 0;
        expect(verdictOf(coverage, endedWhole) === 'not_tested').toBe(nothing);
      }),
    );
  });

  it('of a scan that asked for nothing is not clean', () => {
    expect(verdictOf(noCoverage(0), true)).toBe('not_tested');
  });
});

describe('two reports about one place', () => {
  it('say the same in either order', () => {
    for (const a of PlaceStatus.options)
      for (const b of PlaceStatus.options) expect(mergeStatus(a, b)).toBe(mergeStatus(b, a));
  });

  it('make it tested only when both say so', () => {
    fc.assert(
      fc.property(status, status, (a, b) => {
        expect(mergeStatus(a, b) === 'tested').toBe(a === 'tested' && b === 'tested');
      }),
    );
  });

  it('never lose the evidence of one', () => {
    expect(mergeStatus('tested', 'unreachable')).toBe('partial');
    expect(mergeStatus('not_tested', 'partial')).toBe('partial');
    expect(mergeStatus('not_tested', 'unreachable')).toBe('unreachable');
  });
});
