import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNewestScans } from '../../src/scans/newest-scans.ts';

const ages = fc.uniqueArray(
  fc.record({ finishedAt: fc.integer({ min: 1, max: 6 }), order: fc.integer({ min: 1, max: 99 }) }),
  {
    selector: ({ order }) => order,
    minLength: 1,
    maxLength: 40,
  },
);

describe('the newest scans', () => {
  it('are kept with all their places, whatever the order they come in; of equal ends the last created is newer', () => {
    fc.assert(
      fc.property(ages, fc.integer({ min: 1, max: 5 }), fc.infiniteStream(fc.nat()), (scans, most, random) => {
        const looks = scans.flatMap((age) =>
          ['a', 'b', 'c'].map((place) => ({ age, place, at: random.next().value ?? 0 })),
        );
        const newest = createNewestScans(most);
        for (const { age, place } of looks.toSorted((a, b) => a.at - b.at)) {
          const look = { ...age, scanId: `scan ${age.order}`, place, also: [], engine: 'nmap' };
          newest.add(look, { place, also: [] });
        }
        const expected = scans.toSorted((a, b) => b.finishedAt - a.finishedAt || b.order - a.order).slice(0, most);
        const kept = newest.newest().slice(0, most);
        expect(kept.map(({ scanId }) => scanId)).toEqual(expected.map(({ order }) => `scan ${order}`));
        for (const { places } of kept) expect(places.map(({ place }) => place).toSorted()).toEqual(['a', 'b', 'c']);
        if (newest.newest().length < scans.length) expect(newest.isCut()).toBe(true);
      }),
    );
  });
});
