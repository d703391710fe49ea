import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noCoverage } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import { newScanId, newTraceId } from '../../src/model/ids.ts';
import type { NewImport, ScanQueue } from '../../src/queue/queue.ts';
import { IDEMPOTENCY_HOURS, newScan, type QueueHarness } from './queue-contract.ts';

const T = 'local';
const HOUR = 3_600_000;

let counter = 0;
export function newImport(over: Partial<NewImport> = {}): NewImport {
  counter += 1;
  return {
    scanId: newScanId(),
    tenant: T,
    traceId: newTraceId(),
    name: 'weekly',
    request: { ...newScan().request, pool: 'imported', targets: ['10.9.0.1', 'db.test'] },
    requestHash: `report-${counter}`,
    engine: 'nessus',
    finishedAt: 1_000_000,
    result: {
      verdict: 'partial',
      coverage: { ...noCoverage(2), partial: 2, not_tested: 0 },
      findings: 3,
      by_severity: { ...noSeverities(), high: 3 },
      artefacts: [{ kind: 'findings', path: '1/findings-x.db', bytes: 1, sha256: 'x' }],
    },
    ...over,
  };
}

/** The promises about reports that were made elsewhere. Call it once per adapter. */
export function describeImportsContract(name: string, createHarness: () => Promise<QueueHarness>): void {
  describe(`${name} keeps the contract of imports`, () => {
    let harness: QueueHarness;
    let queue: ScanQueue;
    beforeEach(async () => {
      harness = await createHarness();
      queue = await harness.open();
    });
    afterEach(async () => await harness.close());

    it('records a completed scan that every process sees at once, as a run that has ended', async () => {
      const given = newImport({ startedAt: 500_000 });
      const { scan, deduplicated } = await queue.recordImport(given);
      expect(deduplicated).toBe(false);
      expect(scan).toMatchObject({
        ...given,
        origin: 'imported',
        state: 'completed',
        epoch: 1,
        attempt: 0,
        cancelRequested: false,
      });
      const other = await harness.open();
      expect(await other.get(T, given.scanId)).toEqual(scan);
      expect(await other.get('other', given.scanId)).toBeUndefined();
      expect(await queue.referencedAttempts([given.scanId])).toEqual(new Map([[given.scanId, new Set([1])]]));
    });

    it('has one event, which tells of the end', async () => {
      const { scan } = await queue.recordImport(newImport());
      expect(await queue.events(T, scan.scanId, 0)).toEqual([
        { scanId: scan.scanId, seq: 1, at: scan.createdAt, state: 'completed' },
      ]);
      expect(await queue.waitForEvent(T, scan.scanId, 0, AbortSignal.timeout(1_000))).toBe(true);
    });

    it('is in lists with the other scans, found by pool, state and target', async () => {
      await queue.submit(newScan());
      const { scan } = await queue.recordImport(newImport());
      const ids = async (filter: Parameters<ScanQueue['list']>[1]) =>
        (await queue.list(T, filter)).scans.map(({ scanId }) => scanId);
      expect((await queue.list(T, { limit: 10 })).total).toBe(2);
      for (const filter of [
        { pool: 'imported' },
        { state: 'completed' } as const,
        { targetKey: 'db', matchesTargets: (targets: readonly string[]) => targets.includes('db.test') },
      ]) {
        expect(await ids({ ...filter, limit: 10 })).toEqual([scan.scanId]);
      }
    });

    it('is nothing to a worker: never claimed, never counted, no measure of how long scans take', async () => {
      const before = await queue.status(T);
      const { scan } = await queue.recordImport(newImport());
      const slots = [{ pool: 'imported', instance: 'a', limit: 9 }];
      expect(await queue.claim('worker-1', slots)).toBeUndefined();
      harness.advance(10_000 * HOUR);
      expect(await queue.claim('worker-1', slots)).toBeUndefined();
      expect((await queue.status(T)).pools).toEqual(before.pools);
      expect(await queue.liveCount()).toBe(0);
      expect(await queue.expectedDurationMs('imported')).toBeUndefined();
      expect(await queue.deadLetters(T, 10)).toEqual([]);
      expect((await queue.cancel(T, scan.scanId)).effect).toBe('already_final');
      await expect(queue.retryDeadLetter(T, scan.scanId)).rejects.toMatchObject({ code: 'invalid_request' });
    });

    it('gives the scan of the same report again, to its own tenant, for as long as a key is kept', async () => {
      const { scan } = await queue.recordImport(newImport({ requestHash: 'same' }));
      const again = await (await harness.open()).recordImport(newImport({ requestHash: 'same', name: 'another' }));
      expect(again).toEqual({ scan, deduplicated: true });
      expect(await queue.recentImport(T, 'same')).toEqual(scan);
      expect(await queue.recentImport('other', 'same')).toBeUndefined();
      expect((await queue.recordImport(newImport({ requestHash: 'same', tenant: 'other' }))).deduplicated).toBe(false);
      harness.advance(IDEMPOTENCY_HOURS * HOUR);
      expect(await queue.recentImport(T, 'same')).toBeUndefined();
      expect((await queue.recordImport(newImport({ requestHash: 'same' }))).deduplicated).toBe(false);
    });

    it('makes one scan of one report, however many record it at once', async () => {
      const handles = [queue, await harness.open(), await harness.open()];
      const made = await Promise.all(handles.map((handle) => handle.recordImport(newImport({ requestHash: 'race' }))));
      expect(made.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
      expect(new Set(made.map(({ scan }) => scan.scanId)).size).toBe(1);
    });

    it('takes no import for the twin of a run, nor a run for an import', async () => {
      await queue.submit({ ...newScan(), requestHash: 'equal' });
      expect((await queue.recordImport(newImport({ requestHash: 'equal' }))).deduplicated).toBe(false);
      const { scan } = await queue.recordImport(newImport({ requestHash: 'equal-2' }));
      const run = await queue.submit({ ...newScan(), requestHash: 'equal-2' });
      expect(run.scan.scanId).not.toBe(scan.scanId);
    });
  });
}
