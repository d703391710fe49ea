import { describe, expect, it } from 'vitest';
import { examineScanners } from '../../src/cli/doctor/parts.ts';
import { hintForPeople } from '../../src/cli/errors-for-people.ts';
import { wire } from './wire.ts';

const TWO = 'nmap_a:\n  - { instance_id: one }\nnmap_b:\n  - { instance_id: one }\n';
const RUN = { targets: ['127.0.0.1'] };

describe('a default pool that is none of several pools', () => {
  it('is told from a pool the caller named wrongly, and the doctor sees it', async () => {
    const { app, ok, fails } = await wire({ 'scanners.yaml': TWO });
    for (const tool of ['run_untrusted_scan', 'plan_scan']) {
      expect(await fails(tool, RUN)).toBe(
        'pool_unknown: No pool is named, and the default pool "baseline" does not exist. Pools: nmap_a, nmap_b. ' +
          'Name one of them as scanner_pool; or operator: set default_pool in scanmux.yaml.',
      );
    }
    expect(hintForPeople('Name one of them as scanner_pool; or operator: set it.')).toBe(
      'Name one of them with --pool; or set it.',
    );
    expect(await fails('plan_scan', { ...RUN, scanner_pool: 'baseline' })).toMatch(
      /^pool_unknown: There is no pool "baseline"\./,
    );
    expect(await ok('plan_scan', { ...RUN, scanner_pool: 'nmap_b' })).toMatchObject({ allowed: true });
    expect(await examineScanners(app)).toMatchObject([{ level: 'warn', fix: expect.stringContaining('default_pool') }]);
  });

  it('does not hide why there are no pools at all', async () => {
    const { fails } = await wire({ 'scanners.yaml': 'nmap:\n  - { instance_id: one, bogus: 1 }\n' });
    expect(await fails('plan_scan', RUN)).toMatch(/^config_invalid: .*bogus/);
  });
});
