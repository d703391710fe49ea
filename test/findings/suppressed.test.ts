import { describe, expect, it } from 'vitest';
import type { Suppression, Suppressions } from '../../src/findings/findings.ts';
import { DEFAULT_QUERY, END, found, stored } from './reports.ts';

const JUDGED = { status: 'false_positive', reason: 'A decoy.', who: 'local', expiresAt: Date.UTC(2030, 0, 2) } as const;
const SHOWN = { status: 'false_positive', reason: 'A decoy.', expires_at: '2030-01-02T00:00:00.000Z' };

const scan = () =>
  stored([
    found({ rule_id: 'a', severity: 'critical' }),
    found({ rule_id: 'a', severity: 'critical', discriminator: '2' }),
    found({ rule_id: 'b', severity: 'high' }),
    found({ rule_id: 'c', severity: 'low', location: { ip: '10.0.0.2' } }),
    END,
  ]);

let versions = 0;
const suppressions = (...entries: Partial<Suppression>[]): Suppressions => {
  versions += 1;
  return { version: String(versions), entries: entries.map((entry) => ({ ...JUDGED, ...entry })) };
};

const none = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };

describe('suppressed findings', () => {
  it('are in no number but the one of their own', async () => {
    const { query, store, ref } = await scan();
    const fingerprint = (await store.get(ref, 1))?.fingerprint ?? '';
    const page = await query({}, suppressions({ fingerprint }, { engine: 'baseline', rule_id: 'c' }));
    expect(page).toMatchObject({
      total: 2,
      totalUnfiltered: 2,
      bySeverity: { ...none, critical: 1, high: 1 },
      suppressed: { ...none, critical: 1, low: 1 },
      omitted: none,
    });
    expect(page.findings?.map((finding) => finding['finding_id'])).toEqual([`${ref.scanId}.2`, `${ref.scanId}.3`]);
  });

  it('are counted apart as far as they match the filters, also in groups', async () => {
    const { query } = await scan();
    const judged = suppressions({ engine: 'baseline', rule_id: 'a' });
    expect(await query({ min_severity: 'high' }, judged)).toMatchObject({ total: 1, suppressed: { critical: 2 } });
    const low = await query({ severity_levels: ['low'], group_by: 'rule' }, judged);
    expect(low).toMatchObject({ total: 1, totalUnfiltered: 2, suppressed: none, groups: [{ key: 'c', count: 1 }] });
  });

  it('are shown and marked when they are asked for, however short the answer', async () => {
    const { query, store, ref } = await scan();
    const judged = suppressions({ engine: 'baseline', rule_id: 'b' });
    for (const shape of [{ detail: 'minimal' }, { detail: 'full' }, { fields: ['title'] }] as const) {
      const page = await query({ ...shape, include_suppressed: true }, judged);
      expect(page).toMatchObject({ total: 4, totalUnfiltered: 4, suppressed: { ...none, high: 1 } });
      expect(page.findings?.map((finding) => finding['suppression'])).toEqual([undefined, undefined, SHOWN, undefined]);
    }
    expect((await store.get(ref, 3, judged))?.suppression).toEqual(SHOWN);
    expect((await store.get(ref, 3))?.suppression).toBeUndefined();
  });

  it('are those of the same engine, spelled the same', async () => {
    const { query } = await scan();
    const others = suppressions(
      { engine: 'nmap', rule_id: 'a' },
      { engine: 'baseline', rule_id: 'A' },
      { fingerprint: 'f'.repeat(32) },
      { fingerprint: '' },
    );
    expect(await query({}, others)).toMatchObject({ total: 4, suppressed: none });
  });

  it('say the judgement on the finding itself before the one on its rule', async () => {
    const { store, ref } = await scan();
    const fingerprint = (await store.get(ref, 1))?.fingerprint ?? '';
    const judged = suppressions({ engine: 'baseline', rule_id: 'a' }, { fingerprint, status: 'mitigated' });
    expect((await store.get(ref, 1, judged))?.suppression?.status).toBe('mitigated');
    expect((await store.get(ref, 2, judged))?.suppression?.status).toBe('false_positive');
  });

  it('are found anew when the judgements change', async () => {
    const { query } = await scan();
    const totals = [];
    for (const rule of ['a', 'b', 'c']) {
      totals.push((await query({}, suppressions({ engine: 'baseline', rule_id: rule }))).total);
    }
    totals.push((await query()).total);
    expect(totals).toEqual([2, 3, 3, 4]);
  });

  it('make a cursor of other judgements invalid', async () => {
    const many = Array.from({ length: 60 }, (_, n) => found({ discriminator: String(n) }));
    const { query } = await stored([...many, END]);
    const judged = suppressions({ engine: 'baseline', rule_id: 'none' });
    const { nextCursor = '' } = await query({ max_tokens: 500 }, judged);
    expect((await query({ cursor: nextCursor }, judged)).findings?.length).toBeGreaterThan(0);
    const later = query(
      { ...DEFAULT_QUERY, cursor: nextCursor },
      suppressions({ engine: 'baseline', rule_id: 'none' }),
    );
    await expect(later).rejects.toMatchObject({ code: 'cursor_invalid' });
  });
});
