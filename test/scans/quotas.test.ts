import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { Scope } from '../../src/model/caller.ts';
import { RunUntrustedInput } from '../../src/model/contract/run.ts';
import { askOf, tenantCaller, tenantsLab } from './tenants-lab.ts';

const POLICY = "max_hosts: 1024\nallow: [{ target: 127.0.0.0/8, tenants: ['*'] }]\n";
const settings = (limits: string): Readonly<Record<string, string>> => ({
  'scanmux.yaml': `storage_reserve_mb: 0\nlimits: { ${limits} }\n`,
  'policy.yaml': POLICY,
});
const run = (target: string, more: Record<string, unknown> = {}) => ({
  targets: [target],
  scanner_pool: 'baseline',
  ...more,
});

describe('active_scans', () => {
  it('holds for each tenant, also for scans that are submitted at once', async () => {
    const { app } = await tenantsLab(settings('active_scans: 3'));
    const submit = (tenant: string, host: number) =>
      app.scans.submit(RunUntrustedInput.parse(run(`127.0.0.${host}`)), askOf(tenantCaller(tenant))).then(
        () => 'accepted',
        (error: unknown) => (error instanceof AppError ? error.code : String(error)),
      );
    const answers = await Promise.all([1, 2, 3, 4, 5].map((host) => submit('acme', host)));
    expect(answers.toSorted()).toEqual(['accepted', 'accepted', 'accepted', 'quota_exceeded', 'quota_exceeded']);
    expect(await submit('blue', 1)).toBe('accepted');
  });

  it('ends with the scans, says when to come back, and is in the audit log', async () => {
    const { app, call } = await tenantsLab(settings('active_scans: 1'));
    const acme = tenantCaller('acme');
    const first = await call(acme, 'run_untrusted_scan', run('127.0.0.1'));
    const submit = app.scans.submit(RunUntrustedInput.parse(run('127.0.0.2')), askOf(acme));
    await expect(submit).rejects.toMatchObject({ code: 'quota_exceeded', retryAfterSeconds: 30 });
    expect((await app.audit.tail(1))[0]).toMatchObject({ action: 'refuse', decision: 'quota_exceeded' });
    const { scan_id: scanId } =
      first !== null && typeof first === 'object' && 'scan_id' in first ? first : { scan_id: '' };
    await call(acme, 'cancel_scan', { scan_id: scanId });
    expect(await call(acme, 'run_untrusted_scan', run('127.0.0.2'))).toMatchObject({ state: 'queued' });
  });

  it('does not keep anybody from the scan of a call whose answer was lost', async () => {
    const { call } = await tenantsLab(settings('active_scans: 1'));
    const acme = tenantCaller('acme');
    const once = run('127.0.0.1', { idempotency_key: 'once-upon-a-time' });
    const first = await call(acme, 'run_untrusted_scan', once);
    expect(await call(acme, 'run_untrusted_scan', once)).toMatchObject({
      ...Object(first),
      deduplicated: true,
      summary: expect.any(String),
    });
    expect(await call(acme, 'run_untrusted_scan', run('127.0.0.1'))).toMatchObject({ deduplicated: true });
  });

  it('does not hold for the operator', async () => {
    const { call } = await tenantsLab(settings('active_scans: 1, hosts_per_day: 1'));
    const operator = tenantCaller('acme', Scope.options);
    for (const host of [1, 2, 3])
      expect(await call(operator, 'run_untrusted_scan', run(`127.0.0.${host}`))).toMatchObject({ state: 'queued' });
  });
});

describe('hosts_per_day', () => {
  it('that no day has enough of sends nobody to the next one', async () => {
    const { call } = await tenantsLab(settings('hosts_per_day: 6'));
    const answer = await call(tenantCaller('acme'), 'run_untrusted_scan', run('127.0.0.0/29'));
    expect(answer).toMatch(/^quota_exceeded: The scan covers 8 addresses/);
    expect(answer).not.toContain('midnight');
    expect(answer).toContain('6 in one day');
  });

  it('counts addresses, not scans; a refusal uses up nothing, nor does a repeat', async () => {
    const { app, call } = await tenantsLab(settings('hosts_per_day: 260'));
    const acme = tenantCaller('acme');
    expect(await call(acme, 'run_untrusted_scan', run('127.0.1.0/24'))).toMatchObject({ state: 'queued' });
    expect(await call(acme, 'run_untrusted_scan', run('127.0.1.0/24'))).toMatchObject({ deduplicated: true });
    expect(await call(acme, 'run_untrusted_scan', run('127.0.2.0/29'))).toBe(
      'quota_exceeded: The scan covers 8 addresses; of 260 for today (hosts_per_day) 4 are left. Scan fewer, or try again after midnight UTC; or operator: raise limits.hosts_per_day in scanmux.yaml.',
    );
    expect(await call(acme, 'run_untrusted_scan', run('127.0.2.0/30'))).toMatchObject({ state: 'queued' });
    const submit = app.scans.submit(RunUntrustedInput.parse(run('127.0.3.1')), askOf(acme));
    const error: unknown = await submit.catch((refused: unknown) => refused);
    const seconds = error instanceof AppError ? (error.retryAfterSeconds ?? 0) : 0;
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(86_400);
    expect(await call(tenantCaller('blue'), 'run_untrusted_scan', run('127.0.1.0/24'))).toMatchObject({
      state: 'queued',
    });
  });

  it('is given back when the scan is not made after all', async () => {
    const { call } = await tenantsLab(settings('hosts_per_day: 256'));
    const acme = tenantCaller('acme');
    const key = { idempotency_key: 'the-same-key' };
    expect(await call(acme, 'run_untrusted_scan', run('127.0.0.1', key))).toMatchObject({ state: 'queued' });
    expect(await call(acme, 'run_untrusted_scan', run('127.0.1.0/25', key))).toMatch(/^idempotency_conflict/);
    expect(await call(acme, 'run_untrusted_scan', run('127.0.2.0/25'))).toMatchObject({ state: 'queued' });
    expect(await call(acme, 'run_untrusted_scan', run('127.0.3.0/26'))).toMatchObject({ state: 'queued' });
  });
});
