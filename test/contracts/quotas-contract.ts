import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newScanId, newTraceId } from '../../src/model/ids.ts';
import { requestHash, type ScanRequest } from '../../src/model/scan.ts';
import { DAY_MS, type Quotas } from '../../src/queue/quotas.ts';
import type { ScanQueue } from '../../src/queue/queue.ts';

export interface QuotasHarness {
  /** One more handle, as another process would have. */
  open(): Promise<{ readonly quotas: Quotas; readonly queue: ScanQueue }>;
  advance(ms: number): void;
  close(): Promise<void>;
}

const request = (target: string): ScanRequest => ({
  access: 'untrusted',
  targets: [target],
  pool: 'nmap',
  intensity: 'light',
  priority: 5,
  max_duration_minutes: 60,
});

/** The promises of everything that counts what tenants use. Call it once per adapter. */
export function describeQuotasContract(name: string, createHarness: () => Promise<QuotasHarness>): void {
  describe(`${name} keeps the contract of quotas`, () => {
    let harness: QuotasHarness;
    let quotas: Quotas;
    let queue: ScanQueue;
    beforeEach(async () => {
      harness = await createHarness();
      ({ quotas, queue } = await harness.open());
    });
    afterEach(async () => await harness.close());

    const take = (tenant: string, hosts: number, limit: number) => quotas.takeHosts({ tenant, hosts, limit });
    const submit = async (tenant: string, target: string): Promise<string> => {
      const full = request(target);
      const facts = { traceId: newTraceId(), request: full, requestHash: requestHash(full), engine: 'nmap' };
      return (await queue.submit({ scanId: newScanId(), tenant, ...facts })).scan.scanId;
    };

    it('counts hosts up to the limit and not one more, each tenant for itself', async () => {
      expect(await take('a', 6, 10)).toEqual({ taken: true, used: 0 });
      expect(await take('a', 5, 10)).toEqual({ taken: false, used: 6 });
      expect(await take('a', 4, 10)).toEqual({ taken: true, used: 6 });
      expect(await take('a', 1, 10)).toEqual({ taken: false, used: 10 });
      expect(await take('b', 10, 10)).toEqual({ taken: true, used: 0 });
    });

    it('begins anew with the day, in UTC', async () => {
      await take('a', 10, 10);
      harness.advance(DAY_MS - 1);
      expect((await take('a', 1, 10)).taken).toBe(false);
      harness.advance(1);
      expect(await take('a', 10, 10)).toEqual({ taken: true, used: 0 });
    });

    it('gives back, and never goes below nothing', async () => {
      await take('a', 6, 10);
      await quotas.giveBackHosts('a', 4);
      expect(await take('a', 8, 10)).toEqual({ taken: true, used: 2 });
      await quotas.giveBackHosts('a', 99);
      await quotas.giveBackHosts('nobody', 1);
      expect(await take('a', 10, 10)).toEqual({ taken: true, used: 0 });
    });

    it('is exact when several processes count at once', async () => {
      const handles = [quotas, (await harness.open()).quotas, (await harness.open()).quotas];
      const asked = Array.from({ length: 30 }, (_, index) => handles[index % 3]);
      const taken = await Promise.all(
        asked.map((handle) => handle?.takeHosts({ tenant: 'a', hosts: 1, limit: 10 }).then((one) => one.taken)),
      );
      expect(taken.filter((one) => one === true)).toHaveLength(10);
    });

    it('knows how many scans of a tenant live', async () => {
      expect(await quotas.liveScans('a')).toBe(0);
      const first = await submit('a', 'one.test');
      await submit('a', 'two.test');
      await submit('b', 'one.test');
      expect([await quotas.liveScans('a'), await quotas.liveScans('b')]).toEqual([2, 1]);
      await queue.heartbeat('w');
      const claim = await queue.claim('w', [{ pool: 'nmap', instance: 'i', limit: 1 }]);
      expect(claim?.scan.scanId).toBe(first);
      expect(await quotas.liveScans('a')).toBe(2);
      harness.advance(5);
      expect(await quotas.liveByPool('a')).toEqual([
        { pool: 'nmap', queued: 1, running: 1, retrying: 0, oldestQueuedMs: 5 },
      ]);
      await queue.cancel('b', (await queue.list('b', { limit: 1 })).scans[0]?.scanId ?? '');
      if (claim) await queue.finish(claim, { kind: 'cancelled' });
      expect([await quotas.liveScans('a'), await quotas.liveScans('b')]).toEqual([1, 0]);
      expect(await quotas.liveByPool('b')).toEqual([]);
    });
  });
}
