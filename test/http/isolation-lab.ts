import { z } from 'zod';
import { address, END, found } from '../findings/reports.ts';
import { nmapXml } from '../scans/nmap-xml.ts';
import { tenantCaller, tenantsLab, type TenantsLab } from '../scans/tenants-lab.ts';
import { finishedScan } from '../tools/finished-scan.ts';

export const POLICY = `max_intensity: intrusive
allow:
  - { target: 10.0.0.0/24, tenants: [acme, blue] }
  - { target: 10.9.0.0/24, tenants: [acme] }
`;
const login = (tenants: string): string =>
  `{ kind: ssh_password, username: u, pools: [baseline], targets: [10.0.0.0/24], tenants: [${tenants}], password: { env: X } }`;
const CREDENTIALS = `acme-lab: ${login('acme')}\nblue-lab: ${login('blue')}\n`;

export const acme = tenantCaller('acme');
export const blue = tenantCaller('blue');
const NOW = Date.UTC(2026, 5, 1, 12);

const Made = z.looseObject({ scan_id: z.string() });
export const madeId = (answer: unknown): string => Made.parse(answer).scan_id;
const Page = z.looseObject({ next_cursor: z.string() });

export const run = { targets: ['10.0.0.7'], scanner_pool: 'baseline' };
export const report = (ports: readonly number[]): string => nmapXml([{ address: '10.0.0.1', ports }]);

export async function openLab(): Promise<TenantsLab> {
  const clock = { now: () => NOW, monotonic: () => performance.now() };
  return tenantsLab({ 'policy.yaml': POLICY, 'credentials.yaml': CREDENTIALS }, { clock });
}

/** Everything a tenant can have: scans in several states, findings, a judgement, keys, pages that go on. */
export async function populate(lab: TenantsLab) {
  const { app, call, data } = lab;
  const events = Array.from({ length: 60 }, (_, port) =>
    found({
      rule_id: `nse:rule-${port}`,
      title: `Weakness ${port}`,
      location: { ip: '10.0.0.1', port: port + 1, protocol: 'tcp' },
    }),
  );
  const finished = await finishedScan({ queue: app.queue, data }, [...events, END], {
    engine: 'nmap',
    tenant: 'acme',
    targets: [address('10.0.0.1')],
  });
  const imported = madeId(await call(acme, 'import_report', { content: report([22, 80]), name: 'ours' }));
  const later = madeId(await call(acme, 'import_report', { content: report([22, 443]) }));
  const queued = madeId(await call(acme, 'run_untrusted_scan', { ...run, idempotency_key: 'the-same-for-both' }));
  const secret = madeId(
    await call(acme, 'run_untrusted_scan', { ...run, targets: ['10.9.0.1'], project_id: 'secret' }),
  );
  const gone = madeId(await call(acme, 'run_untrusted_scan', { ...run, targets: ['10.9.0.2'] }));
  await call(acme, 'cancel_scan', { scan_id: gone });
  const finding = `${imported}.1`;
  await call(acme, 'suppress_finding', { finding_id: finding, status: 'accepted_risk', reason: 'ours to judge' });
  const cursors = {
    list_scans: Page.parse(await call(acme, 'list_scans', { limit: 1 })).next_cursor,
    get_scan_results: Page.parse(await call(acme, 'get_scan_results', { scan_id: finished, max_tokens: 500 }))
      .next_cursor,
    search_findings: Page.parse(await call(acme, 'search_findings', { latest_only: false, max_tokens: 500 }))
      .next_cursor,
  };
  return { scans: [finished, imported, later, queued, secret, gone], finding, cursors };
}
