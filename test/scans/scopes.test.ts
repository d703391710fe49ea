import { describe, expect, it } from 'vitest';
import { Scope } from '../../src/model/caller.ts';
import { newScanId } from '../../src/model/ids.ts';
import { TOOLS } from '../../src/tools/catalogue.ts';
import { askOf, tenantCaller, tenantsLab } from './tenants-lab.ts';

const POLICY = "max_intensity: intrusive\nallow: [{ target: 127.0.0.1, tenants: ['*'] }]\n";
const CREDENTIALS = `lab: { kind: ssh_password, username: u, pools: [p], targets: [127.0.0.1], tenants: [acme], password: { env: X } }\n`;
const FILES = { 'policy.yaml': POLICY, 'credentials.yaml': CREDENTIALS };
const run = { targets: ['127.0.0.1'], scanner_pool: 'baseline' };

/** A call of each tool, and the scopes it takes. A tool that is not here fails the test below. */
const CALLS: Readonly<Record<string, { readonly args: Record<string, unknown>; readonly needs: readonly Scope[] }>> = {
  run_untrusted_scan: { args: { ...run, intensity: 'intrusive' }, needs: ['scan:run', 'scan:intrusive'] },
  run_authenticated_scan: { args: { ...run, credential_ref: 'lab' }, needs: ['scan:run', 'credential:use'] },
  plan_scan: { args: run, needs: ['scan:read'] },
  get_scan_status: { args: { scan_id: newScanId() }, needs: ['scan:read'] },
  wait_for_scan: { args: { scan_id: newScanId(), wait_seconds: 1 }, needs: ['scan:read'] },
  cancel_scan: { args: { scan_id: newScanId() }, needs: ['scan:run'] },
  list_scans: { args: {}, needs: ['scan:read'] },
  get_scan_results: { args: { scan_id: newScanId() }, needs: ['scan:read'] },
  get_finding: { args: { finding_id: `${newScanId()}.1` }, needs: ['scan:read'] },
  search_findings: { args: {}, needs: ['scan:read'] },
  compare_scans: { args: { head_scan_id: newScanId() }, needs: ['scan:read'] },
  suppress_finding: {
    args: { finding_id: `${newScanId()}.1`, status: 'mitigated', reason: 'patched' },
    needs: ['finding:suppress'],
  },
  export_report: { args: { scan_id: newScanId(), format: 'csv' }, needs: ['scan:read'] },
  import_report: { args: { content: 'x' }, needs: ['scan:run'] },
  list_scanners: { args: {}, needs: ['scan:read'] },
  get_queue_status: { args: {}, needs: ['scan:read'] },
};

describe('scopes', () => {
  it('are known of every tool', () => {
    expect(Object.keys(CALLS).toSorted()).toEqual(TOOLS.map(({ name }) => name).toSorted());
  });

  it('are what a call takes, each of them, and no other', async () => {
    const { call } = await tenantsLab(FILES);
    for (const [tool, { args, needs }] of Object.entries(CALLS)) {
      for (const missing of needs) {
        const others = Scope.options.filter((scope) => scope !== missing && scope !== 'admin');
        expect(await call(tenantCaller('acme', others), tool, args), `${tool} without ${missing}`).toBe(
          `forbidden: This needs the scope ${missing}, which key:acme does not have. Ask an operator for a key or token with ${missing}. Do not retry.`,
        );
      }
      const answer = await call(tenantCaller('acme', needs), tool, args);
      expect(String(answer), `${tool} with ${needs.join()}`).not.toMatch(/^forbidden/);
      expect(String(await call(tenantCaller('acme', ['admin']), tool, args)), tool).not.toMatch(/^forbidden/);
      expect(await call(tenantCaller('acme', []), tool, args), `${tool} with nothing`).toMatch(/^forbidden/);
    }
  });

  it('that are missing for a change are written down; for a read they are not', async () => {
    const { app, call } = await tenantsLab(FILES);
    const reader = tenantCaller('acme', ['scan:read']);
    await call(reader, 'cancel_scan', { scan_id: newScanId() });
    expect(await app.audit.tail(9)).toMatchObject([
      {
        action: 'refuse',
        decision: 'forbidden',
        caller: { name: 'key:acme' },
        detail: { call: 'cancel', lacks: ['scan:run'] },
      },
    ]);
    await call(tenantCaller('acme', []), 'list_scans');
    expect(await app.audit.tail(9)).toHaveLength(1);
  });

  it('make a plan say that the run would be refused', async () => {
    const { call } = await tenantsLab(FILES);
    const reader = tenantCaller('acme', ['scan:read']);
    expect(await call(reader, 'plan_scan', run)).toMatchObject({
      allowed: false,
      summary: expect.stringContaining('It needs the scope scan:run, which key:acme does not have.'),
    });
    const runner = tenantCaller('acme', ['scan:read', 'scan:run']);
    expect(await call(runner, 'plan_scan', run)).toMatchObject({ allowed: true });
    expect(await call(runner, 'plan_scan', { ...run, intensity: 'intrusive' })).toMatchObject({ allowed: false });
  });

  it('keep the names of logins from whoever may not use one', async () => {
    const { call } = await tenantsLab(FILES);
    const refs = async (scopes: readonly Scope[]) => call(tenantCaller('acme', scopes), 'list_scanners');
    expect(await refs(['scan:read'])).toMatchObject({ credential_refs: [] });
    expect(await refs(['scan:read', 'credential:use'])).toMatchObject({ credential_refs: [{ ref: 'lab' }] });
  });

  it('of a run that is waited for include reading', async () => {
    const { call } = await tenantsLab(FILES);
    const runner = tenantCaller('acme', ['scan:run']);
    expect(await call(runner, 'run_untrusted_scan', { ...run, wait_seconds: 1 })).toMatch(/^forbidden: .*scan:read/);
  });

  it('hold for the things of operators, which no tool has', async () => {
    const { app } = await tenantsLab(FILES);
    const agent = askOf(tenantCaller('acme'));
    await expect(app.scans.deadLetters.purge(1, agent)).rejects.toMatchObject({ code: 'forbidden' });
    const nobody = askOf(tenantCaller('acme', []));
    await expect(app.scans.deadLetters.list(nobody.caller)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(app.scans.deadLetters.retry(newScanId(), nobody)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(app.scans.suppressed.list(nobody.caller)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(app.scans.suppressed.takeBack({ fingerprint: 'f' }, nobody)).rejects.toMatchObject({
      code: 'forbidden',
    });
  });
});
