import { describe, expect, it } from 'vitest';
import { editDistance, nearest, nearestName } from '../../src/model/nearest.ts';

describe('nearest', () => {
  it('counts inserts, deletes, replacements and swaps of neighbours as one edit each', () => {
    expect(editDistance('url', 'url')).toBe(0);
    expect(editDistance('pasword', 'password')).toBe(1);
    expect(editDistance('usrename', 'username')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('abc', '')).toBe(3);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('names the candidate that was meant, whatever the case and the dashes', () => {
    expect(nearest('Max-Attempts', ['max_attempts', 'max_seconds'])).toBe('max_attempts');
    expect(nearest('max_atempts', ['max_attempts', 'max_seconds'])).toBe('max_attempts');
  });

  it('names nothing when nothing is near, and does not compare very long words', () => {
    expect(nearest('colour', ['url', 'username'])).toBeUndefined();
    expect(nearest('x'.repeat(65), ['x'.repeat(64)])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});

describe('nearestName', () => {
  it('names the candidate that has the same words, the first word before the others', () => {
    const results = ['scan_id', 'severity_levels', 'min_severity', 'cve', 'kev_only', 'rule_id', 'max_tokens'];
    expect(nearestName('severity', results)).toBe('severity_levels');
    expect(nearestName('kev', results)).toBe('kev_only');
    expect(nearestName('Scan-ID-list', results)).toBe('scan_id');
    const run = ['targets', 'scanner_pool', 'scanner_instance', 'wait_seconds', 'max_duration_minutes'];
    expect(nearestName('pool', run)).toBe('scanner_pool');
    expect(nearestName('target', run)).toBe('targets');
    expect(nearestName('wait', run)).toBe('wait_seconds');
    expect(nearestName('max_minutes', run)).toBe('max_duration_minutes');
    expect(nearestName('id', ['reason', 'scan_id'])).toBe('scan_id');
    expect(nearestName('durat', run)).toBe('max_duration_minutes');
  });

  it('takes a slip for a slip before it looks at words', () => {
    expect(nearestName('max_token', ['max', 'max_tokens'])).toBe('max_tokens');
    expect(nearestName('por', ['ports', 'host_por', 'port'])).toBe('port');
  });

  it('names nothing for what is too short or too long to tell', () => {
    expect(nearestName('', ['id'])).toBeUndefined();
    expect(nearestName('am', ['parameter'])).toBeUndefined();
    expect(nearestName('x'.repeat(65), ['x'.repeat(64)])).toBeUndefined();
  });
});
