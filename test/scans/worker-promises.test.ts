import { expect, it } from 'vitest';
import { newScan } from '../contracts/queue-contract.ts';
import { examineQueue } from '../../src/cli/doctor/parts.ts';
import { askOf, tenantCaller, tenantsLab } from './tenants-lab.ts';

const LOCAL = tenantCaller('local', ['admin']);

it('a worker is only promised by whoever starts one', async () => {
  const without = await tenantsLab();
  expect(await without.call(LOCAL, 'get_queue_status')).toMatchObject({
    summary: expect.stringContaining('No worker runs; scans wait until an operator starts one.'),
  });
  const starting = await tenantsLab({}, { spawnWorker: true });
  expect(await starting.call(LOCAL, 'get_queue_status')).toMatchObject({
    summary: expect.stringContaining('No worker runs now; one starts by itself as soon as a scan waits.'),
  });
});

it('the doctor counts the scans of every tenant', async () => {
  const { app } = await tenantsLab();
  await app.queue.submit(newScan({}, { tenant: 'acme' }));
  expect(await examineQueue(app, { ask: () => askOf(LOCAL) })).toMatchObject([
    { level: 'ok', said: expect.stringContaining('1 queued') },
  ]);
});

it('the folder for imports is named with the tenant that asks for it', async () => {
  const { call } = await tenantsLab();
  expect(await call(tenantCaller('acme'), 'import_report', { path: '/reports/a.nessus' })).toContain(
    'tenants: ["acme"]',
  );
  expect(await call(tenantCaller('local'), 'import_report', { path: '/reports/a.nessus' })).toContain(
    'import_folders: [/path/to/reports]',
  );
});
