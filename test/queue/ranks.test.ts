import fc from 'fast-check';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countIn, countOut, positionOf } from '../../src/queue/sqlite/ranks.ts';
import { openStore, type Store } from '../../src/queue/sqlite/store.ts';
import { fakeClock, newFolder, SETTINGS } from './sqlite-harness.ts';

const INSERT = `INSERT INTO scans (id, scan_id, tenant, trace_id, request, request_hash, engine, pool, priority, state, rank,
  bound, created_at, queued_at, event_seq) VALUES (?1, ?1, 't', '', '{}', '', '', 'p', ?2, 'queued', ?3, ?4, 0, 0, 1)`;

/** Near one another, as ranks mostly are, and as far apart as years of use can drive them. */
const Rank = fc.oneof(fc.nat(130), fc.nat(9_000), fc.nat(2 ** 20), fc.integer({ min: 2 ** 36, max: 2 ** 36 + 9_000 }));
const Entry = fc.record({
  priority: fc.constantFrom(1, 5),
  rank: Rank,
  bound: fc.constantFrom('', '', 'a'),
  leaves: fc.boolean(),
});

describe('positions from counters', () => {
  const folder = newFolder();
  let store: Store;
  beforeAll(async () => {
    store = await openStore({ folder, clock: fakeClock(), settings: SETTINGS });
  });
  afterAll(() => {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('equal a plain count, whatever came and went', () => {
    const check = fc.property(fc.array(Entry, { maxLength: 120 }), (entries) => {
      store.db.writeNow(() => {
        const all = entries.map((entry, index) => ({ ...entry, pool: 'p', id: index + 1 }));
        for (const entry of all) {
          store.db.prepare(INSERT).run(entry.id, entry.priority, entry.rank, entry.bound);
          countIn(store, entry);
        }
        for (const entry of all.filter(({ leaves }) => leaves)) {
          store.db.prepare('DELETE FROM scans WHERE id = ?').run(entry.id);
          countOut(store, entry);
        }
        const left = all
          .filter(({ leaves }) => !leaves)
          .toSorted((a, b) => a.priority - b.priority || a.rank - b.rank || a.id - b.id);
        expect(left.map((entry) => positionOf(store, entry, entry.id))).toEqual(left.map((_, index) => index + 1));
        for (const entry of left) countOut(store, entry);
        store.db.exec('DELETE FROM scans');
        expect(store.db.prepare('SELECT count(*) AS n FROM ranks').get()?.['n']).toBe(0);
      });
    });
    fc.assert(check, { numRuns: 60 });
  });
});
