import { describe, expect, it } from 'vitest';
import { END, found, placed } from '../findings/reports.ts';
import { finishedScan } from './finished-scan.ts';
import { wire } from './wire.ts';

describe('exploit_available: false', () => {
  it('filters wherever findings are asked for, and is named among the filters', async () => {
    const { app, data, ok } = await wire();
    const scan = () =>
      finishedScan({ queue: app.queue, data }, [
        placed('10.0.0.1', 'tested'),
        found({ rule_id: 'public', exploit_available: true }),
        found({ rule_id: 'none' }),
        END,
      ]);
    await scan();
    await new Promise((resolve) => setTimeout(resolve, 3));
    const scanId = await scan();
    const without = { exploit_available: false };
    expect(await ok('get_scan_results', { scan_id: scanId, ...without })).toMatchObject({
      total: 1,
      total_unfiltered: 2,
      filters_applied: ['exploit_available'],
      findings: [{ rule_id: 'none' }],
    });
    expect(await ok('export_report', { scan_id: scanId, format: 'jsonl', ...without })).toMatchObject({ findings: 1 });
    expect(await ok('search_findings', without)).toMatchObject({ total: 1, findings: [{ rule_id: 'none' }] });
    expect(await ok('compare_scans', { head_scan_id: scanId, ...without })).toMatchObject({
      findings: [{ rule_id: 'none' }],
    });
  });
});
