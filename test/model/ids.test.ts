import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findingId, newScanId, newTraceId, parseFindingId, SCAN_ID } from '../../src/model/ids.ts';

describe('ids', () => {
  it('of scans are random, and safe as a file name on every system and in a URL', () => {
    const ids = Array.from({ length: 5_000 }, newScanId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) {
      expect(id).toMatch(SCAN_ID);
      expect(encodeURIComponent(id)).toBe(id);
    }
  });

  it('of scans use all letters of the alphabet, so every digit carries its five bits', () => {
    const used = new Set(Array.from({ length: 2_000 }, () => newScanId().slice(5)).join(''));
    expect(used.size).toBe(32);
  });

  it('of traces are those of W3C Trace Context', () => {
    expect(newTraceId()).toMatch(/^[0-9a-f]{32}$/);
    expect(newTraceId()).not.toBe(newTraceId());
  });

  it('of findings can be taken apart again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999 }), (number) => {
        const scanId = newScanId();
        expect(parseFindingId(findingId(scanId, number))).toEqual({ scanId, number });
      }),
    );
  });

  it.each(['', '1', 'scan_.1', `${newScanId()}`, `${newScanId()}.0`, `${newScanId()}.01`, `${newScanId()}.1.1`])(
    'of findings are refused when they are none: %s',
    (text) => {
      expect(parseFindingId(text)).toBeUndefined();
    },
  );

  it('of findings are refused with anything before or after them', () => {
    const id = findingId(newScanId(), 7);
    for (const text of [` ${id}`, `${id} `, `${id}\n`, `x${id}`, `../${id}`, id.toUpperCase()])
      expect(parseFindingId(text)).toBeUndefined();
  });
});
