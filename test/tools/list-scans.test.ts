import { describe, expect, it } from 'vitest';
import { ScanList } from '../../src/model/contract/lists.ts';
import { wire } from './wire.ts';

describe('list_scans', () => {
  it('shows the first targets of a scan and counts the rest: a page stays small, whatever was scanned', async () => {
    const { ok } = await wire();
    const listed = async (targets: readonly string[]) => {
      await ok('run_untrusted_scan', { targets, scanner_pool: 'baseline' });
      return ScanList.parse(await ok('list_scans', { limit: 1 })).scans[0];
    };
    const few = ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.1:3'];
    const small = await listed(few);
    expect([small?.targets, small?.targets_omitted]).toEqual([few, undefined]);
    const many = Array.from({ length: 200 }, (_, index) => `127.0.0.1:${index + 1_000}`);
    const large = await listed(many);
    const shown = large?.targets ?? [];
    expect(shown).toEqual(many.slice(0, shown.length));
    expect(shown.length).toBeGreaterThan(10);
    expect(JSON.stringify(large).length).toBeLessThan(1_500);
    expect(large?.targets_omitted).toBe(many.length - shown.length);
    const long = ['a', 'b'].map((letter) => `http://127.0.0.1/${letter.repeat(1_900)}`);
    expect(await listed(long)).toMatchObject({ targets: [long[0]], targets_omitted: 1 });
  });
});
