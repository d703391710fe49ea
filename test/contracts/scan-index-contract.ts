import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noCoverage } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import type { ScanError, ScanResult } from '../../src/model/scan.ts';
import type { ScanQueue } from '../../src/queue/queue.ts';
import type { IndexedScan, LatestLook, ScanIndex } from '../../src/queue/scan-index.ts';
import { newScan } from './queue-contract.ts';

/** A queue with its index, and another handle on both as another process would have it. */
export interface IndexHarness {
  open(): Promise<{ queue: ScanQueue; index: ScanIndex }>;
  advance(ms: number): void;
  close(): Promise<void>;
}

const T = 'local';
const WORKER = 'worker-1';
const RESULT: ScanResult = {
  verdict: 'complete',
  coverage: noCoverage(0),
  findings: 0,
  by_severity: noSeverities(),
  artefacts: [],
};
const ERROR: ScanError = { code: 'scanner_unreachable', message: 'away', hint: 'wait', retryable: true };

/** The promises of an index of scans. Call it once per adapter. */
export function describeScanIndexContract(name: string, createHarness: () => Promise<IndexHarness>): void {
  describe(`${name} keeps the contract of an index of scans`, () => {
    let harness: IndexHarness;
    let queue: ScanQueue;
    let index: ScanIndex;
    beforeEach(async () => {
      harness = await createHarness();
      ({ queue, index } = await harness.open());
    });
    afterEach(() => harness.close());

    /** Runs a scan to an end with results; the next one ends a second later. */
    const finished = async (kind: 'completed' | 'failed' = 'completed', tenant = T): Promise<string> => {
      const { scan } = await queue.submit(newScan({}, { tenant }));
      const claim = await queue.claim(WORKER, [{ pool: 'nmap', instance: 'a', limit: 9 }]);
      if (!claim) throw new Error('nothing to claim');
      harness.advance(1_000);
      const outcome =
        kind === 'failed' ? ({ kind, error: ERROR, result: RESULT } as const) : ({ kind, result: RESULT } as const);
      expect(await queue.finish(claim, outcome)).toBe(true);
      return scan.scanId;
    };
    const entry = async (scanId: string, over: Partial<IndexedScan> = {}): Promise<IndexedScan> => ({
      tenant: T,
      scanId,
      engine: 'nmap',
      finishedAt: (await queue.get(T, scanId))?.finishedAt ?? 0,
      looked: ['10.0.0.1'],
      missed: [],
      ...over,
    });
    const missing = async (tenant = T): Promise<string[]> =>
      (await index.missing(tenant, 100)).map(({ scanId }) => scanId);

    it('names finished scans with results until they are entered, oldest first', async () => {
      const first = await finished();
      const second = await finished('failed');
      await queue.submit(newScan());
      await finished('completed', 'other');
      expect(await missing()).toEqual([first, second]);
      await index.add(await entry(first));
      expect(await missing()).toEqual([second]);
      const elsewhere = await harness.open();
      expect((await elsewhere.index.missing(T, 100)).map(({ scanId }) => scanId)).toEqual([second]);
    });

    it('keeps the newest look of each engine at a place, in whatever order scans are entered', async () => {
      const ids = [await finished(), await finished(), await finished()];
      const entries = await Promise.all(ids.map((id) => entry(id, { looked: ['10.0.0.1', 'app.test'] })));
      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray(entries, { minLength: 3 }), async (shuffled) => {
          for (const one of shuffled) await index.add(one);
          const newest = { engine: 'nmap', scanId: ids[2], finishedAt: entries[2]?.finishedAt };
          expect(await index.latest(T)).toEqual([
            { place: '10.0.0.1', ...newest },
            { place: 'app.test', ...newest },
          ]);
        }),
        { numRuns: 6 },
      );
    });

    it('keeps engines and tenants apart', async () => {
      const nmap = await finished();
      const other = await finished();
      await index.add(await entry(nmap));
      await index.add(await entry(other, { engine: 'nessus' }));
      const engines = (looks: readonly LatestLook[]) => looks.map(({ engine, scanId }) => [engine, scanId]);
      expect(engines(await index.latestAt(T, '10.0.0.1'))).toEqual([
        ['nessus', other],
        ['nmap', nmap],
      ]);
      expect(await index.latestAt(T, '10.0.0.2')).toEqual([]);
      expect(await index.latest('other')).toEqual([]);
    });

    it('tells places nobody could look at from those somebody did', async () => {
      const scanId = await finished();
      await index.add(await entry(scanId, { missed: ['10.0.0.9'] }));
      expect(await index.latestAt(T, '10.0.0.9')).toEqual([
        { place: '10.0.0.9', scanId, finishedAt: expect.any(Number) },
      ]);
    });

    it('holds tens of thousands of places of one scan', async () => {
      const looked = Array.from({ length: 2_500 }, (_, number) => `host-${String(number).padStart(5, '0')}.test`);
      await index.add(await entry(await finished(), { looked }));
      expect((await index.latest(T)).map(({ place }) => place)).toEqual(looked);
    });

    it('forgets a scan that is started again, and asks for the ones before it', async () => {
      const before = await finished();
      const dead = await finished('failed');
      for (const id of [before, dead]) await index.add(await entry(id));
      await queue.retryDeadLetter(T, dead);
      expect(await index.latest(T)).toEqual([]);
      expect(await missing()).toEqual([before]);
      await index.add(await entry(before));
      expect((await index.latest(T)).map(({ scanId }) => scanId)).toEqual([before]);
    });

    it('forgets a scan that is removed, and does not enter one that is gone', async () => {
      const dead = await finished('failed');
      const late = await entry(dead);
      await index.add(late);
      await queue.purgeDeadLetters(T, Number.MAX_SAFE_INTEGER);
      expect(await index.latest(T)).toEqual([]);
      await index.add(late);
      expect(await index.latest(T)).toEqual([]);
      expect(await missing()).toEqual([]);
    });
  });
}
