import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noCoverage } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import type { ScanError, ScanResult } from '../../src/model/scan.ts';
import type { QueueOperations, WorkerFacts } from '../../src/queue/operations.ts';
import { servesPool, type Claim, type Outcome, type ScanQueue } from '../../src/queue/queue.ts';
import type { ScanIndex } from '../../src/queue/scan-index.ts';
import type { SuppressionList } from '../../src/queue/suppressions.ts';
import { newImport } from './imports-contract.ts';
import { newScan } from './queue-contract.ts';

/** What one process holds of a store. */
export interface OperatedQueue {
  readonly queue: ScanQueue;
  readonly operations: QueueOperations;
  readonly index: ScanIndex;
  readonly suppressions: SuppressionList;
}

/** A queue with its operations, and more handles on both as other processes would have them. */
export interface OperationsHarness {
  open(): Promise<OperatedQueue>;
  /** Moves both clocks of every handle. */
  advance(ms: number): void;
  /** Lets a few milliseconds pass by the clock that heartbeats are told by; returns how many at least. */
  passTime(): Promise<number>;
  /** Moves the wall clock alone. */
  setBack(ms: number): void;
  /** From now on the process of this worker is known to be dead. */
  kill(workerId: string): void;
  /** Wall clock, epoch milliseconds. */
  now(): number;
  /** Writes a state that this program does not know, as a newer one beside it may, and nothing else. */
  writeState(scanId: string, state: string): Promise<void>;
  close(): Promise<void>;
}

const T = 'local';
const W1 = 'worker-1';
const SECOND = 1_000;
const DAY = 86_400_000;
const SLOTS = [
  { pool: 'nmap', instance: 'a', limit: 99 },
  { pool: 'nessus', instance: 'n', limit: 99 },
];
const RESULT: ScanResult = {
  verdict: 'complete',
  coverage: noCoverage(0),
  findings: 3,
  by_severity: { ...noSeverities(), critical: 1, low: 2 },
  artefacts: [],
};
const ERROR: ScanError = { code: 'scanner_unreachable', message: 'away', hint: 'wait', retryable: true };
const ENDS = {
  completed: { kind: 'completed', result: RESULT },
  failed: { kind: 'failed', error: ERROR },
  timed_out: { kind: 'timed_out', error: ERROR },
  cancelled: { kind: 'cancelled' },
} as const satisfies Record<string, Outcome>;
type End = keyof typeof ENDS;

const facts = (over: Partial<WorkerFacts> = {}): WorkerFacts => ({
  concurrency: 4,
  version: '1.2.3',
  host: 'machine-1',
  pid: 42,
  startedAt: 1_000,
  draining: false,
  ...over,
});

function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('expected a value');
  return value;
}

/** What a property run does; the pool is `nessus` for one in three scans. */
const Step = fc.record({
  act: fc.constantFrom(
    'submit',
    'submit',
    'claim',
    'claim',
    'retry',
    'release',
    'dead',
    'again',
    'purge',
    'import',
    'die',
  ),
  end: fc.constantFrom<End>('completed', 'completed', 'failed', 'timed_out', 'cancelled'),
  pool: fc.constantFrom('nmap', 'nmap', 'nessus'),
  tenant: fc.constantFrom('t1', 't2'),
  seconds: fc.constantFrom(0, 1, 3, 10, 70, 400, 100_000),
});
type Step = typeof Step extends fc.Arbitrary<infer Value> ? Value : never;

/** The promises of what operators see and the housekeeper does. Call it once per adapter. */
export function describeOperationsContract(name: string, createHarness: () => Promise<OperationsHarness>): void {
  describe(`${name} keeps the contract of operations`, () => {
    let harness: OperationsHarness;
    let queue: ScanQueue;
    let operations: QueueOperations;
    let index: ScanIndex;
    let suppressions: SuppressionList;
    beforeEach(async () => {
      harness = await createHarness();
      ({ queue, operations, index, suppressions } = await harness.open());
    });
    afterEach(async () => await harness.close());

    const submit = async (...args: Parameters<typeof newScan>) => (await queue.submit(newScan(...args))).scan.scanId;
    const claim = async (worker = W1): Promise<Claim> => must(await queue.claim(worker, SLOTS));
    /** Runs a scan to an end; the clock goes on by `ms` while it runs. */
    const finished = async (end: End, { tenant = T, ms = SECOND, pool = 'nmap' } = {}): Promise<string> => {
      const scanId = await submit({ pool }, { tenant });
      const taken = await claim();
      expect(taken.scan.scanId).toBe(scanId);
      harness.advance(ms);
      expect(await queue.finish(taken, ENDS[end])).toBe(true);
      return scanId;
    };
    const idsOf = (removed: readonly { readonly scanId: string }[]): string[] => removed.map(({ scanId }) => scanId);

    describe('workers', () => {
      it('are shown with what they say of themselves, what they run, and how long ago they said it', async () => {
        await queue.heartbeat(W1, facts({ pools: ['nmap'] }));
        await submit();
        await claim();
        const ms = await harness.passTime();
        await queue.heartbeat('worker-2', facts({ host: 'machine-2' }));
        const other = await harness.open();
        const [first, second, ...rest] = await other.operations.workers();
        expect(first).toMatchObject({ ...facts({ pools: ['nmap'] }), workerId: W1, running: 1 });
        expect(second).toMatchObject({ ...facts({ host: 'machine-2' }), workerId: 'worker-2', running: 0 });
        expect(rest).toEqual([]);
        const [ago, agoOfSecond] = [must(first).beatAgoMs, must(second).beatAgoMs];
        expect(agoOfSecond).toBeGreaterThanOrEqual(0);
        expect(ago - agoOfSecond).toBeGreaterThanOrEqual(ms);
      });

      it('tell which pools somebody serves, as long as they live', async () => {
        const served = async (): Promise<readonly boolean[]> => {
          harness.advance(SECOND);
          const readiness = await queue.readiness();
          return ['nmap', 'nessus', 'web'].map((pool) => servesPool(readiness, pool));
        };
        expect(await served()).toEqual([false, false, false]);
        await queue.heartbeat(W1, facts({ pools: ['nmap'] }));
        expect(await served()).toEqual([true, false, false]);
        await queue.heartbeat('worker-2', facts({ pools: ['nmap', 'nessus'] }));
        expect(await served()).toEqual([true, true, false]);
        await queue.heartbeat('worker-3', facts());
        expect(await served()).toEqual([true, true, true]);
        harness.kill('worker-3');
        expect(await served()).toEqual([true, true, false]);
        await queue.retire('worker-2');
        expect(await served()).toEqual([true, false, false]);
        await queue.heartbeat('worker-4'); // an older program says nothing of pools, and serves all
        expect(await served()).toEqual([true, true, true]);
      });

      it('keep what they said through beats that say nothing, until they say something else', async () => {
        await queue.heartbeat(W1, facts());
        await queue.heartbeat(W1);
        expect(await operations.workers()).toMatchObject([{ version: '1.2.3', draining: false }]);
        await queue.heartbeat(W1, facts({ draining: true }));
        expect(await operations.workers()).toMatchObject([{ draining: true }]);
      });

      it('are gone when they retired or died, and listed even before they said anything', async () => {
        await queue.heartbeat(W1, facts());
        await queue.heartbeat('worker-2');
        expect((await operations.workers()).map(({ workerId }) => workerId)).toEqual([W1, 'worker-2']);
        await queue.retire(W1);
        harness.kill('worker-2');
        expect(await operations.workers()).toEqual([]);
      });

      it('never beat in the future, whatever the clock does', async () => {
        await queue.heartbeat(W1, facts());
        harness.setBack(10_000);
        expect((await operations.workers())[0]?.beatAgoMs).toBeGreaterThanOrEqual(0);
      });
    });

    describe('the list of scans', () => {
      it('is of every tenant, newest first, by pool and state, in pages with the total', async () => {
        const failed = await finished('failed', { tenant: 'other' });
        const done = [await finished('completed'), await finished('completed', { tenant: 'other' })];
        const [waiting, elsewhere] = [await submit(), await submit({ pool: 'nessus' }, { tenant: 'other' })];
        const page = async (over: Partial<Parameters<QueueOperations['list']>[0]>) => {
          const { scans, total } = await operations.list({ states: ['completed'], offset: 0, limit: 10, ...over });
          return [idsOf(scans), total];
        };
        expect(await page({})).toEqual([done.toReversed(), 2]);
        expect(await page({ limit: 1 })).toEqual([[done[1]], 2]);
        expect(await page({ offset: 1, limit: 1 })).toEqual([[done[0]], 2]);
        expect(await page({ offset: 2 })).toEqual([[], 2]);
        expect(await page({ states: ['failed', 'queued', 'failed'] })).toEqual([[elsewhere, waiting, failed], 3]);
        expect(await page({ states: ['failed', 'queued'], pool: 'nmap' })).toEqual([[waiting, failed], 2]);
        expect(await page({ states: ['failed', 'queued'], offset: 1, limit: 1 })).toEqual([[waiting], 3]);
        expect(await page({ states: ['running', 'retrying', 'timed_out', 'cancelled'] })).toEqual([[], 0]);
        expect(await page({ states: [] })).toEqual([[], 0]);
        expect(await page({ pool: 'nothing' })).toEqual([[], 0]);
      });

      it('shows each state', async () => {
        const ended = [await finished('timed_out'), await finished('cancelled')];
        const retrying = await submit();
        await queue.finish(await claim(), { kind: 'retry', error: ERROR, delayMs: DAY });
        const running = await submit();
        await claim();
        const states = ['timed_out', 'cancelled', 'retrying', 'running'] as const;
        const shown = await Promise.all(
          states.map((state) => operations.list({ states: [state], offset: 0, limit: 5 })),
        );
        expect(shown.map(({ scans }) => idsOf(scans))).toEqual([[ended[0]], [ended[1]], [retrying], [running]]);
      });

      it('has the records as their tenants see them, also one by one', async () => {
        const scanId = await submit({}, { tenant: 'other' });
        const own = await queue.get('other', scanId);
        expect((await operations.list({ states: ['queued'], offset: 0, limit: 5 })).scans).toEqual([own]);
        expect(await operations.find(scanId)).toEqual(own);
        expect(own?.position).toBe(1);
        expect(await operations.find('scan_00000000000000000000')).toBeUndefined();
      });
    });

    describe('counters', () => {
      it('begin with nothing', async () => {
        expect(await operations.counters()).toEqual({
          submitted: [],
          started: [],
          finished: [],
          retried: [],
          lost: [],
          durations: [],
          findings: [],
        });
      });

      it('count what happened over all processes, repeats of a submit once', async () => {
        const scan = newScan({}, { idempotencyKey: 'k' });
        await queue.submit(scan);
        await queue.submit({ ...scan, scanId: newScan().scanId });
        const other = await harness.open();
        await other.queue.submit(newScan({ pool: 'nessus' }));
        await queue.finish(await claim(), ENDS.completed);
        await other.queue.finish(await claim(), { kind: 'retry', error: ERROR, delayMs: 0 });
        expect(await other.operations.counters()).toMatchObject({
          submitted: [
            { pool: 'nessus', count: 1 },
            { pool: 'nmap', count: 1 },
          ],
          started: [
            { pool: 'nessus', count: 1 },
            { pool: 'nmap', count: 1 },
          ],
          finished: [{ pool: 'nmap', state: 'completed', count: 1 }],
          retried: [{ pool: 'nessus', count: 1 }],
          findings: [
            { engine: 'nmap', severity: 'critical', count: 1 },
            { engine: 'nmap', severity: 'low', count: 2 },
          ],
        });
      });

      it('count a lease that was lost, and the claim that took its scan over', async () => {
        await submit();
        await queue.heartbeat(W1);
        await claim(W1);
        harness.kill(W1);
        await claim('worker-2');
        const { started, lost } = await operations.counters();
        expect([started, lost]).toEqual([[{ pool: 'nmap', count: 2 }], [{ pool: 'nmap', count: 1 }]]);
      });

      it('measure from the first start to the end, cumulative by bound', async () => {
        await finished('completed', { ms: 3_000 });
        await finished('failed', { ms: 15_000 });
        await finished('completed', { ms: 2 * DAY });
        await queue.cancel(T, await submit());
        const [measured] = (await operations.counters()).durations;
        const counts = [0, 1, 2, 2, 2, 2, 2, 2, 2, 3];
        expect(measured?.buckets.map(({ count }) => count)).toEqual(counts);
        expect(measured?.buckets.map(({ le }) => le)).toEqual([
          1,
          5,
          15,
          60,
          300,
          900,
          3_600,
          14_400,
          86_400,
          Infinity,
        ]);
        expect([measured?.sum, measured?.count]).toEqual([3 + 15 + 2 * 86_400, 3]);
      });

      it('count findings of imports, which nobody submits or runs', async () => {
        await queue.recordImport(newImport({ result: RESULT }));
        const { submitted, finished: ended, findings } = await operations.counters();
        expect([submitted, ended]).toEqual([[], []]);
        expect(findings.map(({ count }) => count)).toEqual([1, 2]);
      });

      it('stay when scans are removed, and count a dead letter that is run again anew', async () => {
        const dead = await finished('failed');
        await queue.retryDeadLetter(T, dead);
        await queue.finish(await claim(), ENDS.failed);
        await finished('completed');
        harness.advance(DAY);
        await queue.purgeDeadLetters(T, harness.now());
        await operations.removeFinished({ finishedBefore: harness.now(), limit: 10 });
        const { submitted, started, finished: ended } = await operations.counters();
        expect([submitted, started]).toEqual([[{ pool: 'nmap', count: 2 }], [{ pool: 'nmap', count: 3 }]]);
        expect(ended).toEqual([
          { pool: 'nmap', state: 'completed', count: 1 },
          { pool: 'nmap', state: 'failed', count: 2 },
        ]);
      });

      it('agree with what is there, whatever happens', async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(Step, { maxLength: 30 }), async (steps) => {
            const own = await createHarness();
            try {
              await agree(own, steps);
            } finally {
              await own.close();
            }
          }),
          { numRuns: 15 },
        );
      });
    });

    it('gauges are of the scans there are, over all tenants', async () => {
      await finished('failed', { tenant: 'other' });
      await finished('timed_out');
      await submit({}, { tenant: 'other' });
      harness.advance(5_000);
      await submit();
      await submit({ pool: 'nessus' });
      const other = await harness.open();
      await other.queue.claim(W1, [must(SLOTS[1])]);
      expect(await operations.gauges()).toEqual({
        pools: [
          { pool: 'nessus', queued: 0, retrying: 0, running: 1, deadLetters: 0 },
          { pool: 'nmap', queued: 2, retrying: 0, running: 0, deadLetters: 2, oldestQueuedMs: 5_000 },
        ],
        active: [{ pool: 'nessus', instance: 'n', count: 1 }],
      });
    });

    describe('retention', () => {
      it('removes what ended before a time, oldest first, and at most so many at once', async () => {
        const old = [
          await finished('completed'),
          await finished('cancelled', { tenant: 'other' }),
          await finished('completed'),
        ];
        const before = harness.now() + 1;
        harness.advance(DAY);
        const young = await finished('completed');
        const waiting = await submit();
        const first = await operations.removeFinished({ finishedBefore: before, limit: 2 });
        expect(first).toEqual([
          { tenant: T, scanId: old[0] },
          { tenant: 'other', scanId: old[1] },
        ]);
        expect(idsOf(await operations.removeFinished({ finishedBefore: before, limit: 2 }))).toEqual([old[2]]);
        expect(await operations.removeFinished({ finishedBefore: before, limit: 2 })).toEqual([]);
        expect(await queue.get(T, must(old[0]))).toBeUndefined();
        expect(await queue.events(T, must(old[0]), 0)).toEqual([]);
        expect((await queue.list(T, { limit: 10 })).scans.map(({ scanId }) => scanId)).toEqual([waiting, young]);
        expect((await queue.referencedAttempts([must(old[0])])).has(must(old[0]))).toBe(false);
      });

      it('keeps dead letters by their own age, and scans that have not ended for ever', async () => {
        const [failed, timedOut] = [await finished('failed'), await finished('timed_out')];
        const running = await submit();
        await claim();
        const waiting = await submit();
        harness.advance(DAY);
        const now = harness.now();
        expect(await operations.removeFinished({ finishedBefore: now, limit: 10 })).toEqual([]);
        expect(idsOf(await operations.removeFinished({ deadBefore: now, limit: 10 }))).toEqual([failed, timedOut]);
        const left = await operations.list({ states: ['running', 'queued'], offset: 0, limit: 5 });
        expect(idsOf(left.scans)).toEqual([waiting, running]);
        expect((await operations.gauges()).pools).toMatchObject([{ deadLetters: 0, queued: 1, running: 1 }]);
      });

      it('keeps the newest so many of each tenant, dead letters aside', async () => {
        const own = [await finished('completed'), await finished('cancelled'), await finished('completed')];
        const dead = await finished('failed');
        const others = [
          await finished('completed', { tenant: 'other' }),
          await finished('completed', { tenant: 'other' }),
        ];
        expect(idsOf(await operations.removeFinished({ keepNewest: 1, limit: 1 }))).toEqual([own[0]]);
        expect(idsOf(await operations.removeFinished({ keepNewest: 1, limit: 9 }))).toEqual([own[1], others[0]]);
        expect(await operations.removeFinished({ keepNewest: 1, limit: 9 })).toEqual([]);
        expect((await queue.get(T, dead))?.state).toBe('failed');
        expect(await operations.removeFinished({ limit: 9 })).toEqual([]);
      });

      it('takes an imported scan to be as old as its import, whenever it was run', async () => {
        const old = harness.now() - 400 * DAY;
        const { scan } = await queue.recordImport(newImport({ startedAt: old, finishedAt: old }));
        const before = harness.now();
        harness.advance(SECOND);
        const run = await finished('completed');
        expect(await operations.removeFinished({ finishedBefore: before, limit: 9 })).toEqual([]);
        expect(idsOf(await operations.removeFinished({ keepNewest: 1, limit: 9 }))).toEqual([scan.scanId]);
        expect((await queue.get(T, run))?.state).toBe('completed');
      });

      it('leaves idempotency keys for their lifetime: a late repeat does not scan again', async () => {
        const scan = newScan({}, { idempotencyKey: 'k' });
        await queue.submit(scan);
        await queue.finish(await claim(), ENDS.completed);
        harness.advance(SECOND);
        await operations.removeFinished({ finishedBefore: harness.now(), limit: 9 });
        const again = queue.submit({ ...scan, scanId: newScan().scanId });
        await expect(again).rejects.toMatchObject({ code: 'idempotency_conflict' });
      });

      it('leaves judgements, and no place in the index of scans that are gone', async () => {
        const entry = { status: 'mitigated', reason: 'r', who: 'cli', expiresAt: harness.now() + 9 * DAY } as const;
        await suppressions.put(T, { fingerprint: 'f', ...entry });
        const [older, newer] = [await finished('completed'), await finished('completed')];
        for (const scanId of [older, newer]) {
          const { finishedAt } = must(await queue.get(T, scanId));
          await index.add({ tenant: T, scanId, engine: 'nmap', finishedAt: must(finishedAt) }, looks());
        }
        const { finishedAt } = must(await queue.get(T, newer));
        await operations.removeFinished({ finishedBefore: must(finishedAt), limit: 9 });
        expect((await index.latestAt(T, '10.0.0.1')).map(({ scanId }) => scanId)).toEqual([newer]);
        harness.advance(SECOND);
        await operations.removeFinished({ finishedBefore: harness.now(), limit: 9 });
        expect(await index.latestAt(T, '10.0.0.1')).toEqual([]);
        expect(await index.missing(T, 9)).toEqual([]);
        expect((await suppressions.inForce(T)).entries).toHaveLength(1);
      });

      it('removes each scan once, however many do it at the same time', async () => {
        const all: string[] = [];
        for (let made = 0; made < 12; made += 1) all.push(await finished('completed'));
        harness.advance(SECOND);
        const other = await harness.open();
        const retention = { finishedBefore: harness.now(), limit: 5 };
        const removed: string[] = [];
        for (let round = 0; round < 4; round += 1) {
          const both = [operations.removeFinished(retention), other.operations.removeFinished(retention)];
          removed.push(...(await Promise.all(both)).flatMap(idsOf));
        }
        expect(removed.toSorted()).toEqual(all.toSorted());
      });
    });

    describe('a turn', () => {
      it('is of one at a time, until it lets it run out', async () => {
        const other = await harness.open();
        const takes = [operations.takeTurn('sweep', 'a', 10_000), other.operations.takeTurn('sweep', 'b', 10_000)];
        expect((await Promise.all(takes)).filter(Boolean)).toHaveLength(1);
        const [winner, loser] = (await takes[0]) ? ['a', 'b'] : ['b', 'a'];
        harness.advance(6_000);
        expect(await operations.takeTurn('sweep', winner, 10_000)).toBe(true);
        harness.advance(6_000);
        expect(await other.operations.takeTurn('sweep', loser, 10_000)).toBe(false);
        expect(await other.operations.takeTurn('other', loser, 10_000)).toBe(true);
        harness.advance(4_001);
        expect(await other.operations.takeTurn('sweep', loser, 10_000)).toBe(true);
        expect(await operations.takeTurn('sweep', winner, 10_000)).toBe(false);
      });

      it('is free at once when its holder gives it back, and nobody else can', async () => {
        const other = await harness.open();
        await operations.takeTurn('sweep', 'a', 10_000);
        await other.operations.releaseTurn('sweep', 'b');
        await operations.releaseTurn('other', 'a');
        expect(await other.operations.takeTurn('sweep', 'b', 10_000)).toBe(false);
        await operations.releaseTurn('sweep', 'a');
        await operations.releaseTurn('sweep', 'a');
        expect(await other.operations.takeTurn('sweep', 'b', 10_000)).toBe(true);
        expect(await operations.takeTurn('sweep', 'a', 10_000)).toBe(false);
      });
    });

    describe('a scan in a state that only a newer program knows', () => {
      const NEWER = { code: 'data_too_new' };
      /** Three scans, the middle one unknown. */
      const three = async (): Promise<readonly [string, string, string]> => {
        const [first, unknown, last] = [await submit(), await submit(), await submit()];
        await harness.writeState(unknown, 'hibernating');
        return [first, unknown, last];
      };

      it('is told from all others, and leaves the others in every list, page by page', async () => {
        const [first, unknown, last] = await three();
        await expect(queue.get(T, unknown)).rejects.toMatchObject(NEWER);
        await expect(operations.find(unknown)).rejects.toMatchObject(NEWER);
        expect(await queue.get('other', unknown)).toBeUndefined();
        expect(await queue.list(T, { limit: 9 })).toMatchObject({
          scans: [{ scanId: last }, { scanId: first }],
          unreadable: 1,
          total: 3,
        });
        const all = { matchesTargets: () => true, limit: 9 };
        expect(idsOf((await queue.list(T, all)).scans)).toEqual([last, first]);
        for (const filter of [{ limit: 1 }, { limit: 2 }, { limit: 1, createdAfter: 0 }]) {
          const seen: string[] = [];
          let cursor: string | undefined;
          do {
            const page = await queue.list(T, { ...filter, ...(cursor === undefined ? {} : { cursor }) });
            seen.push(...idsOf(page.scans));
            cursor = page.nextCursor;
          } while (cursor !== undefined);
          expect(seen).toEqual([last, first]);
        }
        const waiting = { states: ['queued'], offset: 0, limit: 9 } as const;
        expect(idsOf((await operations.list(waiting)).scans)).toEqual([last, first]);
      });

      it('holds up nobody: others are counted, placed, started, and it stays as it is', async () => {
        const [first, unknown, last] = await three();
        expect((await queue.get(T, last))?.position).toBeGreaterThan(0);
        expect((await queue.status(T)).pools).toMatchObject([{ pool: 'nmap' }]);
        expect((await operations.gauges()).pools).toMatchObject([{ pool: 'nmap' }]);
        expect((await operations.counters()).submitted).toEqual([{ pool: 'nmap', count: 3 }]);
        const taken = [await claim(), await claim()];
        expect(taken.map(({ scan }) => scan.scanId)).toEqual([first, last]);
        expect(await queue.claim(W1, SLOTS)).toBeUndefined();
        harness.advance(1_000 * DAY);
        expect(await queue.claim(W1, SLOTS)).toBeUndefined();
        await expect(queue.cancel(T, unknown)).rejects.toMatchObject(NEWER);
        await expect(queue.get(T, unknown)).rejects.toMatchObject(NEWER);
      });

      it('is not removed, and not run again, while the others are', async () => {
        const ended = [await finished('failed'), await finished('completed')];
        const dead = await finished('failed');
        const done = await finished('completed');
        const running = await submit();
        const lost = await claim();
        for (const scanId of [dead, done, running]) await harness.writeState(scanId, 'hibernating');
        harness.kill(W1);
        harness.advance(DAY);
        expect(await queue.claim('worker-2', SLOTS)).toBeUndefined();
        expect(await queue.finish(lost, ENDS.completed)).toBe(false);
        expect(idsOf(await queue.deadLetters(T, 9))).toEqual([ended[0]]);
        const all = { finishedBefore: harness.now(), deadBefore: harness.now(), limit: 9 };
        expect(idsOf(await operations.removeFinished(all)).toSorted()).toEqual(ended.toSorted());
        expect(await queue.purgeDeadLetters(T, Number.MAX_SAFE_INTEGER)).toEqual([]);
        expect(await queue.list(T, { limit: 9 })).toMatchObject({ scans: [], unreadable: 3, total: 3 });
        expect((await queue.referencedAttempts([running])).get(running)).toEqual(new Set([lost.epoch]));
      });
    });

    async function* looks() {
      yield [{ place: '10.0.0.1', isLooked: true, also: [] }];
    }
  });
}

/** Does the steps and sums up beside them; then both sums are compared. */
async function agree(harness: OperationsHarness, steps: readonly Step[]): Promise<void> {
  const { queue, operations } = await harness.open();
  const sums = new Map<string, number>();
  const add = (...key: readonly string[]): void => void sums.set(key.join(' '), (sums.get(key.join(' ')) ?? 0) + 1);
  const dead: { tenant: string; scanId: string }[] = [];
  let worker = 0;
  const take = async (): Promise<Claim | undefined> => {
    const taken = await queue.claim(`worker-${worker}`, SLOTS);
    if (taken) add('started', taken.scan.request.pool);
    return taken;
  };
  const acts: Readonly<Record<Step['act'], (step: Step) => Promise<void>>> = {
    async submit({ pool, tenant }) {
      await queue.submit(newScan({ pool }, { tenant }));
      add('submitted', pool);
    },
    async claim({ end, seconds }) {
      const taken = await take();
      if (!taken) return;
      harness.advance(seconds * 1_000);
      await queue.finish(taken, ENDS[end]);
      const { scanId, tenant, request } = taken.scan;
      add('finished', request.pool, end);
      if (end === 'failed' || end === 'timed_out') dead.push({ tenant, scanId });
    },
    async retry() {
      const taken = await take();
      if (!taken) return;
      await queue.finish(taken, { kind: 'retry', error: ERROR, delayMs: 0 });
      add('retried', taken.scan.request.pool);
    },
    async release() {
      const taken = await take();
      if (taken) await queue.finish(taken, { kind: 'released' });
    },
    async die() {
      const taken = await take();
      harness.kill(`worker-${worker}`);
      worker += 1;
      await queue.claim(`worker-${worker}`, []); // what is lost is found by whoever looks next
      if (taken) add('lost', taken.scan.request.pool);
    },
    async dead() {
      await operations.removeFinished({ deadBefore: harness.now() + 1, limit: 1 });
      for (const one of dead.splice(0)) if (await queue.get(one.tenant, one.scanId)) dead.push(one);
    },
    async again() {
      const one = dead.pop();
      if (one) await queue.retryDeadLetter(one.tenant, one.scanId);
    },
    async purge({ tenant }) {
      await queue.purgeDeadLetters(tenant, harness.now() + 1);
      for (const one of dead.splice(0)) if (one.tenant !== tenant) dead.push(one);
    },
    async import({ tenant }) {
      await queue.recordImport({ ...newImport(), tenant });
    },
  };
  for (const step of steps) await acts[step.act](step);

  const { submitted, started, finished, retried, lost } = await operations.counters();
  const shown = [
    ...Object.entries({ submitted, started, retried, lost }).flatMap(([name, counts]) =>
      counts.map(({ pool, count }): [string, number] => [`${name} ${pool}`, count]),
    ),
    ...finished.map(({ pool, state, count }): [string, number] => [`finished ${pool} ${state}`, count]),
  ];
  expect(new Map(shown)).toEqual(sums);
  const letters = (await operations.gauges()).pools.reduce((sum, { deadLetters }) => sum + deadLetters, 0);
  expect(letters).toBe(dead.length);
}
