import { describe, expect, it } from 'vitest';
import { comparisonText, searchText } from '../../src/cli/render/across-scans.ts';
import type { Comparison } from '../../src/model/contract/compare.ts';
import type { Found } from '../../src/model/contract/search.ts';

const paper = { columns: 140, paint: (text: string) => text };
const finding = (number: number, over = {}) => ({
  finding_id: `scan_0123456789abcdefghjk.${number}`,
  title: 'A weakness',
  severity: 'high',
  place: '10.0.0.1:80/tcp',
  ...over,
});

const COMPARISON: Comparison = {
  summary: 'Compared with scan b: 1 new.',
  head_scan_id: 'scan_a',
  base_scan_id: 'scan_b',
  compared_by: 'fingerprint',
  counts: { new: 1, newly_visible: 0, fixed: 1, persisting: 0, changed: 1, not_observed: 0 },
  suppressed: 0,
  findings: [
    { change: 'new', ...finding(1) },
    { change: 'changed', changed: ['severity low -> high'], ...finding(2) },
    { change: 'fixed', ...finding(3, { title: 'Bad \u001b[31mwords\u202e' }) },
  ],
  next_cursor: 'more',
};

const FOUND: Found = {
  summary: 'Found: 1 finding in 1 scan of 1 host.',
  answer: 'found',
  hosts: { searched: 1, could_detect: 1 },
  scans: [{ scan_id: 'scan_a', engine: 'nmap', finished_at: '2026-01-01T00:00:00.000Z', findings: 1 }],
  findings: [finding(1)],
  total: 1,
  suppressed: 0,
};

describe('a comparison for people', () => {
  it('shows each change with what changed, the place and the id', () => {
    const lines = comparisonText(COMPARISON, paper).split('\n');
    expect(lines).toContainEqual(expect.stringMatching(/^new +high +A weakness +10\.0\.0\.1:80\/tcp +scan_\w+\.1$/));
    expect(lines).toContainEqual(expect.stringMatching(/^changed +high +A weakness \(severity low -> high\)/));
    expect(lines.at(-1)).toBe('There is more: add --all');
  });

  it('shows nothing of a report that would act on a terminal', () => {
    expect(comparisonText(COMPARISON, paper)).toContain('Bad \\u{1b}[31mwords\\u{202e}');
  });

  it('is only its summary where nothing is to be shown', () => {
    expect(comparisonText({ ...COMPARISON, findings: [] }, paper).split('\n')).toHaveLength(2);
  });
});

describe('an answer of a search for people', () => {
  it('shows the answer, where it was searched, the scans and the findings', () => {
    const text = searchText(FOUND, paper);
    expect(text).toMatch(/^Found: 1 finding/);
    expect(text).toMatch(/^Hosts: +1 searched, 1 where a check for it provably ran$/m);
    expect(text).toMatch(/^scan_a +nmap +2026/m);
    expect(text).toMatch(/^high +A weakness/m);
  });
});
