import { afterEach, describe, expect, it } from 'vitest';
import { openLab, type Lab } from './harness.ts';

let lab: Lab;
afterEach(async () => lab.close());

describe('a scan on Nessus', () => {
  it('is made, launched once, followed and exported', async () => {
    lab = await openLab();
    const { outcome, error, report, progress } = await lab.attempt();
    expect(error).toBeUndefined();
    expect(outcome).toEqual({ whole: true });
    expect(report).toContain('<ReportHost name="10.0.0.1"');
    expect(report.trimEnd().endsWith('</NessusClientData_v2>')).toBe(true);
    expect(lab.done('POST', '/scans')).toHaveLength(1);
    expect(lab.done('POST', '/scans/{id}/launch')).toHaveLength(1);
    expect(progress.map(({ phase }) => phase)).toContain('scanning');
  });
});
