import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { AGENT_SCOPES, LOCAL_TENANT } from '../../src/model/caller.ts';
import { newTraceId } from '../../src/model/ids.ts';
import { identityText, ownIdentity } from '../../src/platform/process-identity.ts';
import { wire } from './wire.ts';

const TWO_POOLS = ['baseline', 'baseline_2']
  .map((pool) => `${pool}:\n  - { instance_id: ${pool}, name: ${pool}, enabled: true, max_concurrent_scans: 1 }\n`)
  .join('');
const ID = identityText(ownIdentity());
const facts = (draining: boolean) => ({
  pools: ['baseline'],
  concurrency: 8,
  version: '1.2.3',
  host: hostname(),
  pid: process.pid,
  startedAt: 1,
  draining,
});
const ask = (tenant: string, isOperator = false) => ({
  caller: { tenant, name: 'key:abc', isOperator, scopes: AGENT_SCOPES },
  traceId: newTraceId(),
  signal: new AbortController().signal,
});

describe('get_queue_status', () => {
  it('shows live workers, what they serve and run, and that one is about to end', async () => {
    const { app, ok } = await wire();
    await app.queue.heartbeat(ID, facts(false));
    const { scan_id: scanId } = await ok('run_untrusted_scan', { targets: ['127.0.0.1'], scanner_pool: 'baseline' });
    expect(await app.queue.claim(ID, [{ pool: 'baseline', instance: 'baseline', limit: 1 }])).toMatchObject({
      scan: { scanId },
    });
    const shown = { pools: ['baseline'], concurrency: 8, version: '1.2.3', host: hostname(), running: 1 };
    expect(await ok('get_queue_status')).toMatchObject({
      workers: 1,
      live_workers: [{ ...shown, beat_seconds_ago: 0, draining: false }],
      summary: expect.stringContaining('1 worker running.'),
    });
    await app.queue.heartbeat(ID, facts(true));
    expect(await ok('get_queue_status')).toMatchObject({
      live_workers: [{ ...shown, draining: true }],
      summary: expect.stringContaining('1 worker running, 1 of them ending.'),
    });
  });

  it('says that a scan of a pool no live worker serves waits for a worker', async () => {
    const { app, ok } = await wire({ 'scanners.yaml': TWO_POOLS });
    await app.queue.heartbeat(ID, facts(false));
    await ok('run_untrusted_scan', { targets: ['127.0.0.1'], scanner_pool: 'baseline' });
    expect(await ok('get_queue_status')).toMatchObject({ summary: expect.not.stringContaining('serves') });
    const { scan_id: left } = await ok('run_untrusted_scan', { targets: ['127.0.0.1'], scanner_pool: 'baseline_2' });
    expect(await ok('get_scan_status', { scan_id: left })).toMatchObject({
      waiting_for: 'worker',
      summary: expect.stringContaining('waits for a worker: none of those that run serves its pool'),
    });
    expect(await ok('get_queue_status')).toMatchObject({
      summary: expect.stringContaining('1 worker running. None of them serves baseline_2, where scans wait.'),
    });
  });

  it('says that a scan whose worker is gone waits for one, and no longer once there is another', async () => {
    const { app, ok } = await wire();
    const gone = identityText({ ...ownIdentity(), started: '1' });
    const { scan_id: scanId } = await ok('run_untrusted_scan', { targets: ['127.0.0.1'], scanner_pool: 'baseline' });
    await app.queue.heartbeat(gone, facts(false));
    await app.queue.claim(gone, [{ pool: 'baseline', instance: 'baseline', limit: 1 }]);
    expect(await ok('get_scan_status', { scan_id: scanId })).toMatchObject({
      state: 'running',
      waiting_for: 'worker',
      summary: expect.stringMatching(
        /^The scan stands still: just started\. Its worker is gone; .* Next: wait_for_scan\.$/,
      ),
    });
    await app.queue.heartbeat(ID, facts(false));
    expect(await ok('get_scan_status', { scan_id: scanId })).toMatchObject({ state: 'running', waiting_for: 'none' });
  });

  it('tells another tenant that there are workers, and neither machines, their load, processes, scans nor tenants', async () => {
    const { app, ok } = await wire();
    await app.queue.heartbeat(ID, facts(false));
    await ok('run_untrusted_scan', { targets: ['127.0.0.1'], scanner_pool: 'baseline', name: 'secret-name' });
    const report = await app.scans.queueStatus({}, ask('stranger'));
    expect(report).toMatchObject({ workers: 1, live_workers: [{ concurrency: 8, draining: false }], next: [] });
    expect(report.live_workers[0]).not.toHaveProperty('running');
    const text = JSON.stringify(report);
    for (const secret of [ID, hostname(), String(process.pid), 'scan_', LOCAL_TENANT, 'secret-name']) {
      expect(text).not.toContain(secret);
    }
  });

  it('tells machines and their load to admins of tenants that run the service, and not to those of others', async () => {
    const { app } = await wire({ 'scanmux.yaml': 'storage_reserve_mb: 0\noperator_tenants: [ops]\n' });
    await app.queue.heartbeat(ID, facts(false));
    const ops = await app.scans.queueStatus({}, ask('ops', true));
    expect(ops.live_workers[0]).toMatchObject({ host: hostname(), running: 0 });
    const others = await Promise.all([ask('stranger', true), ask('ops')].map((who) => app.scans.queueStatus({}, who)));
    for (const { live_workers: workers } of others) {
      expect(workers).toHaveLength(1);
      expect(JSON.stringify(workers)).not.toContain(hostname());
      expect(workers[0]).not.toHaveProperty('running');
    }
  });
});
