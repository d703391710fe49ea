import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noCoverage } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import type { ScanError, ScanResult } from '../../src/model/scan.ts';
import type { ScanQueue } from '../../src/queue/queue.ts';
import type { IndexedScan, LatestLook, Look, ScanIndex } from '../../src/queue/scan-index.ts';
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
    const look = (place: string, over: Partial<Look> = {}): Look => ({ place, isLooked: true, also: [], ...over });
    async function* parts(looks: readonly Look[]): AsyncGenerator<readonly Look[]> {
      yield looks.slice(0, 1);
      yield looks.slice(1);
    }
    const enter = async (
      scanId: string,
      looks: readonly Look[] = [look('10.0.0.1')],
      over: Partial<IndexedScan> = {},
    ): Promise<void> => {
      const finishedAt = (await queue.get(T, scanId))?.finishedAt ?? 0;
      await index.add({ tenant: T, scanId, engine: 'nmap', finishedAt, ...over }, parts(looks));
    };
    const latest = async (tenant = T): Promise<LatestLook[]> => {
      const looks: LatestLook[] = [];
      for await (const part of index.latest(tenant)) looks.push(...part);
      return looks;
    };
    const missing = async (tenant = T): Promise<string[]> =>
      (await index.missing(tenant, 100)).map(({ scanId }) => scanId);

    it('names finished scans with results until they are entered, oldest first', async () => {
      const first = await finished();
      const second = await finished('failed');
      await queue.submit(newScan());
      await finished('completed', 'other');
      expect(await missing()).toEqual([first, second]);
      await enter(first);
      expect(await missing()).toEqual([second]);
      const elsewhere = await harness.open();
      expect((await elsewhere.index.missing(T, 100)).map(({ scanId }) => scanId)).toEqual([second]);
    });

    it('keeps the newest look of each engine at a place, in whatever order scans are entered', async () => {
      const ids = [await finished(), await finished(), await finished()];
      const looks = [look('10.0.0.1'), look('app.test')];
      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray(ids, { minLength: 3 }), async (shuffled) => {
          for (const id of shuffled) await enter(id, looks);
          const { finishedAt } = (await queue.get(T, ids[2] ?? '')) ?? {};
          const newest = { engine: 'nmap', scanId: ids[2], finishedAt, also: [], order: expect.any(Number) };
          expect(await latest()).toEqual([
            { place: '10.0.0.1', ...newest },
            { place: 'app.test', ...newest },
          ]);
        }),
        { numRuns: 6 },
      );
    });

    it('takes the scan that was created last for the newest of those that finished at the same time', async () => {
      const ids = [await finished(), await finished(), await finished(), await finished()];
      for (const id of [3, 0, 2, 1].map((n) => ids[n] ?? '')) await enter(id, undefined, { finishedAt: 5 });
      const [newest] = await latest();
      expect(newest?.scanId).toBe(ids[3]);
      await enter(ids[0] ?? '', [look('10.0.0.2')], { finishedAt: 5 });
      const orders = (await latest()).map(({ order }) => order);
      expect(orders[0]).toBeGreaterThan(orders[1] ?? Infinity);
    });

    it('keeps engines and tenants apart', async () => {
      const nmap = await finished();
      const other = await finished();
      await enter(nmap);
      await enter(other, undefined, { engine: 'nessus' });
      const engines = (looks: readonly LatestLook[]) => looks.map(({ engine, scanId }) => [engine, scanId]);
      expect(engines(await index.latestAt(T, '10.0.0.1'))).toEqual([
        ['nessus', other],
        ['nmap', nmap],
      ]);
      expect(await index.latestAt(T, '10.0.0.2')).toEqual([]);
      expect(await index.latestAt('other', '10.0.0.1')).toEqual([]);
      expect(await latest('other')).toEqual([]);
    });

    it('finds a place by every word for it, and lets none of them take the place of another', async () => {
      const byAddress = await finished();
      const byName = await finished();
      await enter(byAddress, [look('10.0.0.7')]);
      await enter(byName, [
        look('a.test', { also: ['10.0.0.7', '10.0.0.8'] }),
        look('https://b.test/x', { also: ['10.0.0.7'], findBy: ['b.test'] }),
      ]);
      const at = async (word: string) => (await index.latestAt(T, word)).map(({ place, scanId }) => [place, scanId]);
      expect(await at('10.0.0.7')).toEqual([
        ['10.0.0.7', byAddress],
        ['a.test', byName],
        ['https://b.test/x', byName],
      ]);
      expect(await at('b.test')).toEqual([['https://b.test/x', byName]]);
      expect(await at('a.test')).toEqual([['a.test', byName]]);
      expect((await index.latestAt(T, 'a.test'))[0]?.also).toEqual(['10.0.0.7', '10.0.0.8']);
    });

    it('lists names whose address nobody said, until a newer look says it', async () => {
      const [first, second] = [await finished(), await finished()];
      await enter(first, [look('a.test', { also: 'unknown' }), look('b.test', { also: 'unknown' }), look('10.0.0.1')]);
      expect(await index.unplaced(T, 10)).toEqual(['a.test', 'b.test']);
      expect(await index.unplaced(T, 1)).toEqual(['a.test']);
      expect(await index.unplaced('other', 10)).toEqual([]);
      expect((await index.latestAt(T, 'a.test'))[0]?.also).toBe('unknown');
      await enter(second, [look('a.test', { also: ['10.0.0.1'] })]);
      expect(await index.unplaced(T, 10)).toEqual(['b.test']);
    });

    it('tells places nobody could look at from those somebody did', async () => {
      const scanId = await finished();
      await enter(scanId, [look('10.0.0.1'), look('10.0.0.9', { isLooked: false })]);
      const [missed] = await index.latestAt(T, '10.0.0.9');
      expect(missed).toMatchObject({ place: '10.0.0.9', scanId });
      expect(missed).not.toHaveProperty('engine');
    });

    it('holds tens of thousands of places of one scan, and gives others their turn while it reads them', async () => {
      const places = Array.from({ length: 5_500 }, (_, number) => `host-${String(number).padStart(5, '0')}.test`);
      await enter(
        await finished(),
        places.map((place) => look(place)),
      );
      let turns = 0;
      const tick = (): void => {
        turns += 1;
        if (turns < 1_000) setImmediate(tick);
      };
      setImmediate(tick);
      expect((await latest()).map(({ place }) => place)).toEqual(places);
      const counted = turns;
      turns = 1_000;
      expect(counted).toBeGreaterThanOrEqual(5);
    });

    it('forgets a scan that is started again, and asks for the ones before it', async () => {
      const before = await finished();
      const dead = await finished('failed');
      for (const id of [before, dead]) await enter(id);
      await queue.retryDeadLetter(T, dead);
      expect(await latest()).toEqual([]);
      expect(await missing()).toEqual([before]);
      await enter(before);
      expect((await latest()).map(({ scanId }) => scanId)).toEqual([before]);
    });

    it('forgets a scan that is removed, and does not enter one that is gone', async () => {
      const dead = await finished('failed');
      const { finishedAt = 0 } = (await queue.get(T, dead)) ?? {};
      await enter(dead);
      await queue.purgeDeadLetters(T, Number.MAX_SAFE_INTEGER);
      expect(await latest()).toEqual([]);
      await enter(dead, undefined, { finishedAt });
      expect(await latest()).toEqual([]);
      expect(await missing()).toEqual([]);
    });
  });
}
