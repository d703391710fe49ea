import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScanQueue } from '../../src/queue/queue.ts';
import { newScan, type QueueHarness } from '../contracts/queue-contract.ts';
import { sqliteHarness } from './sqlite-harness.ts';

describe('reads from memory', () => {
  let harness: QueueHarness;
  let queue: ScanQueue;
  let other: ScanQueue;
  beforeEach(async () => {
    harness = await sqliteHarness();
    [queue, other] = [await harness.open(), await harness.open()];
  });
  afterEach(() => harness.close());

  it('see what another connection committed in between', async () => {
    const scan = newScan();
    expect(await queue.get(scan.tenant, scan.scanId)).toBeUndefined();
    await other.submit(scan);
    expect(await queue.get(scan.tenant, scan.scanId)).toMatchObject({ state: 'queued', position: 1 });
    await other.cancel(scan.tenant, scan.scanId);
    expect(await queue.get(scan.tenant, scan.scanId)).toMatchObject({ state: 'cancelled' });
  });

  it('see what this connection committed in between, also about other scans', async () => {
    const [first, second] = [newScan({ targets: ['10.0.0.1'] }), newScan({ targets: ['10.0.0.2'] })];
    await queue.submit(first);
    await queue.submit(second);
    expect(await queue.get(second.tenant, second.scanId)).toMatchObject({ position: 2 });
    await queue.cancel(first.tenant, first.scanId);
    expect(await queue.get(second.tenant, second.scanId)).toMatchObject({ position: 1 });
  });

  it('give the same record while nothing was committed, and to its own tenant only', async () => {
    const scan = newScan();
    await queue.submit(scan);
    const record = await queue.get(scan.tenant, scan.scanId);
    expect(await queue.get(scan.tenant, scan.scanId)).toBe(record);
    expect(await queue.get('another', scan.scanId)).toBeUndefined();
  });

  it('tell whether a worker is there, and notice its end within a quarter of a second', async () => {
    expect(await queue.readiness()).toMatchObject({ hasWorker: false, instances: [] });
    await other.heartbeat('worker');
    await other.putInstanceHealth('pool', 'a', { status: 'healthy', canLaunch: true });
    const ready = { hasWorker: true, instances: [{ pool: 'pool', instance: 'a', health: { canLaunch: true } }] };
    expect(await queue.readiness()).toMatchObject(ready);
    harness.kill('worker');
    harness.advance(250);
    expect(await queue.readiness()).toMatchObject({ hasWorker: false });
  });
});
