import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { wire } from './wire.ts';

/** A network, a host in it and a URL: 256 + 1 + 1 places. */
const TARGETS = ['127.0.1.0/24', '127.0.0.1', 'http://localhost:3000'];

const NEVER_LOOKED = {
  verdict: 'not_tested',
  coverage: { requested: 258, tested: 0, partial: 0, unreachable: 0, not_tested: 258 },
};

async function cancelled() {
  const wired = await wire({ 'policy.yaml': 'max_hosts: 1024\nallow: [localhost]\n' });
  const { scan_id } = await wired.ok('run_untrusted_scan', { targets: TARGETS });
  await wired.ok('cancel_scan', { scan_id });
  return { ...wired, scan_id };
}

describe('a scan that ended before it looked anywhere', () => {
  it('counts every host of its networks as not tested, in every answer', async () => {
    const { ok, scan_id } = await cancelled();
    expect(await ok('get_scan_status', { scan_id })).toMatchObject(NEVER_LOOKED);
    expect(await ok('wait_for_scan', { scan_id })).toMatchObject(NEVER_LOOKED);
    expect(await ok('get_scan_results', { scan_id })).toMatchObject(NEVER_LOOKED);
    const { path, summary } = await ok('export_report', { scan_id, format: 'json' });
    expect(JSON.parse(readFileSync(String(path), 'utf8'))).toMatchObject(NEVER_LOOKED);
    expect(summary).toContain('None of the 258 places asked for could be looked at');
  });

  it('has its verdict in the list of scans, and no findings', async () => {
    const { ok, scan_id } = await cancelled();
    const { scans } = await ok('list_scans');
    expect(scans).toEqual([
      expect.objectContaining({
        scan_id,
        verdict: 'not_tested',
        by_severity: { critical: 0, high: 0, medium: 0, low: 0, info: 0 },
      }),
    ]);
  });

  it('has neither in the list as long as it waits', async () => {
    const { ok } = await wire();
    await ok('run_untrusted_scan', { targets: ['127.0.0.1'] });
    const { scans } = await ok('list_scans');
    expect(scans).toEqual([expect.not.objectContaining({ verdict: expect.anything() })]);
  });
});
