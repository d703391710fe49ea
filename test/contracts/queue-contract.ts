import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newScanId, newTraceId } from '../../src/model/ids.ts';
import { noCoverage } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import { requestHash, type Progress, type ScanError, type ScanRequest, type ScanResult } from '../../src/model/scan.ts';
import type { Claim, NewScan, ScanQueue, Slot } from '../../src/queue/queue.ts';

/** What an adapter gives the contract: one store, any number of handles on it as other processes would have. */
export interface QueueHarness {
  /** Another handle on the same store. The harness closes it. */
  open(): Promise<ScanQueue>;
  /** Moves both clocks of every handle. */
  advance(ms: number): void;
  /** Moves the wall clock alone, as an operator or NTP does. */
  setBack(ms: number): void;
  /** From now on the process of this worker is known to be dead. */
  kill(workerId: string): void;
  /** Lets a lease run out that nobody renews while `observer` watches; its worker is alive but frozen. */
  freeze(observer: ScanQueue): Promise<void>;
  close(): Promise<void>;
}

export const IDEMPOTENCY_HOURS = 48;
export const QUEUED_EXPIRY_HOURS = 168;
export const MAX_LOST_LEASES = 10;
export const ADOPT_PATIENCE_MS = 900_000;
const HOUR = 3_600_000;

const T = 'local';
const W1 = 'worker-1';
const W2 = 'worker-2';
const slot = (instance: string, limit = 1, pool = 'nmap'): Slot => ({ pool, instance, limit });

let counter = 0;
export function newScan(
  request: Partial<ScanRequest> = {},
  rest: Partial<Pick<NewScan, 'tenant' | 'idempotencyKey' | 'name'>> = {},
): NewScan {
  counter += 1;
  const full: ScanRequest = {
    access: 'untrusted',
    targets: [`10.0.${Math.floor(counter / 250) % 250}.${counter % 250}`],
    pool: 'nmap',
    intensity: 'standard',
    priority: 5,
    max_duration_minutes: 60,
    ...request,
  };
  return {
    scanId: newScanId(),
    tenant: T,
    traceId: newTraceId(),
    request: full,
    requestHash: requestHash({ ...full, targets: [...full.targets, String(request.targets ? '' : counter)] }),
    engine: 'nmap',
    ...rest,
  };
}

const RESULT: ScanResult = {
  verdict: 'not_tested',
  coverage: noCoverage(1),
  findings: 0,
  by_severity: noSeverities(),
  artefacts: [],
};
const ERROR: ScanError = { code: 'scanner_unreachable', message: 'away', hint: 'wait', retryable: true };
const PROGRESS: Progress = {
  percent: 10,
  phase: 'scanning',
  hosts_done: 0,
  hosts_total: 1,
  findings_so_far: 0,
  estimated: true,
  updated_at: '2026-01-01T00:00:00.000Z',
};

function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('expected a value');
  return value;
}

const MIX_SLOTS = [slot('a', 50), slot('b', 50)];
const Step = fc.record({
  act: fc.constantFrom('submit', 'submit', 'submit', 'claim', 'cancel', 'release', 'fail'),
  tenant: fc.constantFrom('t1', 't2', 't3'),
  priority: fc.constantFrom(1, 5, 5, 9),
  pinned: fc.constantFrom(undefined, undefined, 'b'),
  pick: fc.nat(50),
});
type Step = typeof Step extends fc.Arbitrary<infer Value> ? Value : never;

/** What a property run knows by itself: who waits (with the tenant) and what runs. */
interface Mix {
  readonly queue: ScanQueue;
  readonly waiting: Map<string, string>;
  readonly running: Claim[];
}

const ACTS: Readonly<Record<Step['act'], (mix: Mix, step: Step) => Promise<void>>> = {
  async submit({ queue, waiting }, { priority, pinned, tenant }) {
    const scan = newScan({ priority, ...(pinned ? { pinned_instance: pinned } : {}) }, { tenant });
    await queue.submit(scan);
    waiting.set(scan.scanId, tenant);
  },
  async claim({ queue, waiting, running }) {
    const taken = await queue.claim(W1, MIX_SLOTS);
    if (!taken) return;
    running.push(taken);
    waiting.delete(taken.scan.scanId);
  },
  async cancel({ queue, waiting }, { pick }) {
    const chosen = [...waiting][pick % Math.max(1, waiting.size)];
    if (!chosen) return;
    await queue.cancel(chosen[1], chosen[0]);
    waiting.delete(chosen[0]);
  },
  async release({ queue, waiting, running }) {
    const taken = running.pop();
    if (!taken) return;
    await queue.finish(taken, { kind: 'released' });
    waiting.set(taken.scan.scanId, taken.scan.tenant);
  },
  async fail({ queue, waiting, running }) {
    const taken = running.pop();
    if (!taken) return;
    const { scanId, tenant } = taken.scan;
    await queue.finish(taken, { kind: 'failed', error: ERROR });
    await queue.retryDeadLetter(tenant, scanId);
    waiting.set(scanId, tenant);
  },
};

/** The promises every queue makes (docs/architecture.md). Call it once per adapter. */
export function describeQueueContract(name: string, createHarness: () => Promise<QueueHarness>): void {
  describe(`${name} keeps the queue contract`, () => {
    let harness: QueueHarness;
    let queue: ScanQueue;
    beforeEach(async () => {
      harness = await createHarness();
      queue = await harness.open();
    });
    afterEach(async () => await harness.close());

    const submit = async (...args: Parameters<typeof newScan>) => (await queue.submit(newScan(...args))).scan;
    const claimed = async (slots: readonly Slot[] = [slot('a')], worker = W1): Promise<Claim> =>
      must(await queue.claim(worker, slots));
    const record = async (scanId: string) => must(await queue.get(T, scanId));

    describe('submit', () => {
      it('keeps an accepted scan for every other process', async () => {
        const scan = newScan({ project_id: 'p' }, { name: 'n', idempotencyKey: 'key-0001' });
        const { scan: made, deduplicated } = await queue.submit(scan);
        expect(deduplicated).toBe(false);
        expect(made).toMatchObject({ ...scan, state: 'queued', epoch: 0, attempt: 0, position: 1 });
        const other = await harness.open();
        expect(await other.get(T, scan.scanId)).toEqual(made);
      });

      it('returns the scan that holds the idempotency key, also after it ended', async () => {
        const first = await submit({}, { idempotencyKey: 'key-0001' });
        const again = newScan(first.request, { idempotencyKey: 'key-0001' });
        const repeat = { ...again, requestHash: first.requestHash };
        expect((await queue.wouldDeduplicateTo(repeat))?.scanId).toBe(first.scanId);
        await queue.finish(await claimed(), { kind: 'completed', result: RESULT });
        const answer = await queue.submit(repeat);
        expect([answer.deduplicated, answer.scan.scanId, answer.scan.state]).toEqual([
          'idempotency_key',
          first.scanId,
          'completed',
        ]);
      });

      it('refuses a key that belongs to another request, and names the scan that holds it', async () => {
        const first = await submit({}, { idempotencyKey: 'key-0001' });
        const other = newScan({}, { idempotencyKey: 'key-0001' });
        const refusal = { code: 'idempotency_conflict', message: expect.stringContaining(first.scanId) };
        await expect(queue.submit(other)).rejects.toMatchObject(refusal);
        await expect(queue.wouldDeduplicateTo(other)).rejects.toMatchObject(refusal);
        expect((await queue.list(T, { limit: 10 })).total).toBe(1);
      });

      it('keeps keys apart by tenant and forgets them after their lifetime', async () => {
        const first = await submit({}, { idempotencyKey: 'key-0001' });
        const foreign = await submit({}, { idempotencyKey: 'key-0001', tenant: 'other' });
        expect(foreign.scanId).not.toBe(first.scanId);
        harness.advance(IDEMPOTENCY_HOURS * HOUR + 1);
        expect(await queue.wouldDeduplicateTo({ ...first, idempotencyKey: 'key-0001' })).toBeUndefined();
        expect((await submit({}, { idempotencyKey: 'key-0001' })).scanId).not.toBe(first.scanId);
      });

      it('keeps a key whose scan was purged', async () => {
        const first = await submit({}, { idempotencyKey: 'key-0001' });
        await queue.finish(await claimed(), { kind: 'failed', error: ERROR });
        harness.advance(1);
        expect(await queue.purgeDeadLetters(T, Number.MAX_SAFE_INTEGER)).toEqual([first.scanId]);
        const repeat = { ...newScan(first.request, { idempotencyKey: 'key-0001' }), requestHash: first.requestHash };
        await expect(queue.submit(repeat)).rejects.toMatchObject({ code: 'idempotency_conflict' });
      });

      it('returns the live twin of a request without a key, of the same tenant only, while it is live', async () => {
        const first = await submit({ targets: ['a.test'] });
        const twin = await queue.submit(newScan({ targets: ['a.test'] }));
        expect([twin.deduplicated, twin.scan.scanId]).toEqual(['live_twin', first.scanId]);
        const keyed = await queue.submit(newScan({ targets: ['a.test'] }, { idempotencyKey: 'key-0001' }));
        const foreign = await queue.submit(newScan({ targets: ['a.test'] }, { tenant: 'other' }));
        expect([keyed.deduplicated, foreign.deduplicated]).toEqual([false, false]);
        for (const { scan } of [{ scan: first }, keyed]) await queue.cancel(T, scan.scanId);
        expect((await queue.submit(newScan({ targets: ['a.test'] }))).deduplicated).toBe(false);
      });

      it('does not take a scan that is being cancelled for a twin', async () => {
        const first = await submit({ targets: ['a.test'] });
        await claimed();
        await queue.cancel(T, first.scanId);
        expect((await queue.submit(newScan({ targets: ['a.test'] }))).deduplicated).toBe(false);
      });
    });

    describe('order and position', () => {
      it('serves priority 1 first, then age', async () => {
        const late = await submit({ priority: 9 });
        const normal = await submit();
        const second = await submit();
        const urgent = await submit({ priority: 1 });
        const order = [];
        for (let n = 0; n < 4; n++) order.push((await claimed([slot('a', 10)])).scan.scanId);
        expect(order).toEqual([urgent, normal, second, late].map(({ scanId }) => scanId));
      });

      it('shares a priority fairly: a tenant with one scan does not wait behind a flood of another', async () => {
        for (let n = 0; n < 20; n++) await submit({}, { tenant: 'flood' });
        for (let n = 0; n < 3; n++) await claimed([slot('a', 30)]);
        for (let n = 0; n < 3; n++) await submit({}, { tenant: 'small' });
        const order = [];
        for (let n = 0; n < 8; n++) order.push((await claimed([slot('a', 30)])).scan.tenant);
        expect(order.filter((tenant) => tenant === 'small')).toHaveLength(3);
        expect(order.lastIndexOf('small')).toBeLessThanOrEqual(6);
      });

      it('lets a tenant that was idle save up nothing', async () => {
        await submit({}, { tenant: 'idle' });
        for (let n = 0; n < 20; n++) await submit({}, { tenant: 'busy' });
        for (let n = 0; n < 11; n++) await claimed([slot('a', 30)]);
        for (let n = 0; n < 8; n++) await submit({}, { tenant: 'idle' });
        const order = [];
        for (let n = 0; n < 10; n++) order.push((await claimed([slot('a', 30)])).scan.tenant);
        expect(order.filter((tenant) => tenant === 'busy').length).toBeGreaterThanOrEqual(4);
        expect(order.filter((tenant) => tenant === 'idle').length).toBeGreaterThanOrEqual(4);
      });

      it('tells each queued scan the exact place in which it would be claimed', async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(Step, { maxLength: 40 }), async (steps) => {
            const own = await createHarness();
            const handle = await own.open();
            const mix: Mix = { queue: handle, waiting: new Map(), running: [] };
            for (const step of steps) await ACTS[step.act](mix, step);
            const places: (readonly [string, number])[] = [];
            for (const [scanId, tenant] of mix.waiting) {
              places.push([scanId, must((await handle.get(tenant, scanId))?.position)]);
            }
            const sorted = places.toSorted(([, a], [, b]) => a - b);
            expect(sorted.map(([, place]) => place)).toEqual(sorted.map((_, index) => index + 1));
            const served: string[] = [];
            while (served.length < sorted.length) {
              served.push(must(await handle.claim(W1, MIX_SLOTS)).scan.scanId);
            }
            expect(served).toEqual(sorted.map(([scanId]) => scanId));
            await own.close();
          }),
          { numRuns: 25 },
        );
      });

      it('shows how long a wait would be only once something was measured', async () => {
        expect(await queue.expectedWaitMs('nmap', 1, 2)).toBeUndefined();
        for (const ms of [1_000, 5_000, 3_000]) {
          await submit();
          const claim = await claimed();
          harness.advance(ms);
          await queue.finish(claim, { kind: 'completed', result: RESULT });
        }
        expect(await queue.expectedDurationMs('nmap')).toBe(3_000);
        expect(await queue.expectedWaitMs('nmap', 1, 2)).toBe(0);
        expect(await queue.expectedWaitMs('nmap', 5, 2)).toBe(6_000);
        expect(await queue.expectedWaitMs('nmap', 1, 0)).toBeUndefined();
        await submit();
        await claimed();
        harness.advance(1_000);
        expect(await queue.expectedWaitMs('nmap', 1, 1)).toBe(2_000);
      });
    });

    describe('slots', () => {
      it('rotates over the instances, also for another process', async () => {
        const slots = [slot('a', 9), slot('b', 9), slot('c', 9)];
        for (let n = 0; n < 7; n++) await submit();
        const other = await harness.open();
        const order = [];
        for (let n = 0; n < 7; n++) order.push(must(await (n % 2 ? other : queue).claim(W1, slots)).instance);
        expect(order.join('')).toBe('abcabca');
      });

      it('never exceeds limits 3, 1 and 2 over any run of claims and ends, and rotates fairly within 1 when all are free', async () => {
        const limits = new Map([
          ['a', 3],
          ['b', 1],
          ['c', 2],
        ]);
        const slots = [...limits].map(([instance, limit]) => slot(instance, limit));
        const workers = [queue, await harness.open()];
        await fc.assert(
          fc.asyncProperty(fc.array(fc.nat(5), { minLength: 10, maxLength: 40 }), async (picks) => {
            const running: Claim[] = [];
            for (const pick of picks) {
              await submit();
              const taken = await workers[pick % 2]?.claim(`worker-${pick % 2}`, slots);
              if (taken) running.push(taken);
              else expect(running).toHaveLength(6);
              for (const [instance, limit] of limits) {
                const active = running.filter((claim) => claim.instance === instance).length;
                expect(active).toBeLessThanOrEqual(limit);
                expect((await queue.activeByInstance()).get(`nmap/${instance}`) ?? 0).toBe(active);
              }
              const done = running[pick];
              if (done && running.length > 4) {
                await queue.finish(done, { kind: 'completed', result: RESULT });
                running.splice(running.indexOf(done), 1);
              }
            }
            for (const claim of running) await queue.finish(claim, { kind: 'completed', result: RESULT });
            const counts = new Map<string, number>();
            for (let n = 0; n < 6; n++) {
              await submit();
              const claim = await claimed(slots);
              counts.set(claim.instance, (counts.get(claim.instance) ?? 0) + 1);
              await queue.finish(claim, { kind: 'completed', result: RESULT });
            }
            expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(1);
          }),
          { numRuns: 10 },
        );
      });

      it('starts nothing beyond a full pool, and lets another pool go on', async () => {
        await submit();
        await submit();
        const web = await submit({ pool: 'web' });
        await claimed();
        expect(await queue.claim(W2, [slot('a')])).toBeUndefined();
        const next = await claimed([slot('a'), slot('z', 1, 'web')], W2);
        expect([next.scan.scanId, next.instance]).toEqual([web.scanId, 'z']);
      });

      it('gives a pinned scan only to its instance, and lets others pass while that is full', async () => {
        const pinned = [await submit({ pinned_instance: 'b' }), await submit({ pinned_instance: 'b' })];
        const free = await submit();
        const slots = [slot('a'), slot('b')];
        const got = [await claimed(slots), await claimed(slots)];
        expect(got.map(({ instance, scan }) => [instance, scan.scanId])).toEqual([
          ['b', pinned[0]?.scanId],
          ['a', free.scanId],
        ]);
        expect(await queue.claim(W1, [slot('a', 9), slot('b')])).toBeUndefined();
      });
    });

    describe('lost workers', () => {
      it('puts the scan of a dead worker back at once with the next epoch and its checkpoint', async () => {
        const { scanId } = await submit();
        const first = await claimed();
        expect([first.epoch, first.scan.attempt, first.checkpoint]).toEqual([1, 1, undefined]);
        await queue.checkpoint(first, { phase: 'launched', reference: 'ref-7' });
        harness.kill(W1);
        const second = await claimed([slot('a')], W2);
        expect(second.scan.scanId).toBe(scanId);
        expect([second.epoch, second.instance]).toEqual([2, 'a']);
        expect(second.checkpoint).toEqual({ phase: 'launched', reference: 'ref-7', instance: 'a', epoch: 1 });
      });

      it('lets a lost worker write nothing', async () => {
        const { scanId } = await submit();
        const zombie = await claimed();
        harness.kill(W1);
        const owner = await claimed([slot('a')], W2);
        await queue.progress(owner, PROGRESS, 'ext-1');
        const before = await record(scanId);
        const events = await queue.events(T, scanId, 0);
        expect(await queue.renew(zombie)).toEqual({ owned: false, cancel: false });
        expect(await queue.checkpoint(zombie, { phase: 'intent' })).toBe(false);
        expect(await queue.reading(zombie)).toBe(false);
        expect(await queue.progress(zombie, { ...PROGRESS, percent: 99 }, 'ext-zombie')).toBe(false);
        for (const outcome of [
          { kind: 'completed', result: RESULT },
          { kind: 'failed', error: ERROR },
          { kind: 'timed_out', error: ERROR },
          { kind: 'cancelled' },
          { kind: 'retry', error: ERROR, delayMs: 0 },
          { kind: 'released' },
        ] as const) {
          expect(await queue.finish(zombie, outcome)).toBe(false);
        }
        expect(await record(scanId)).toEqual(before);
        expect(await queue.events(T, scanId, 0)).toEqual(events);
        harness.kill(W2);
        expect((await claimed([slot('a')], 'worker-3')).checkpoint).toBeUndefined();
      });

      it('refuses a second end of the same attempt', async () => {
        await submit();
        const claim = await claimed();
        expect(await queue.finish(claim, { kind: 'completed', result: RESULT })).toBe(true);
        expect(await queue.finish(claim, { kind: 'failed', error: ERROR })).toBe(false);
        expect(await queue.renew(claim)).toEqual({ owned: false, cancel: false });
      });

      it('takes over from a frozen worker only after watching it for a lease, and never from one that beats', async () => {
        await submit();
        await queue.heartbeat(W1);
        const frozen = await claimed();
        const observer = await harness.open();
        expect(await observer.claim(W2, [slot('a')])).toBeUndefined();
        harness.advance(10 * HOUR); // one leap proves nothing: the observer may have slept as well
        expect(await observer.claim(W2, [slot('a')])).toBeUndefined();
        await queue.heartbeat(W1);
        expect(await observer.claim(W2, [slot('a')])).toBeUndefined();
        await harness.freeze(observer);
        expect((await observer.claim(W2, [slot('a')]))?.epoch).toBe(2);
        expect((await queue.renew(frozen)).owned).toBe(false);
      });

      it('counts an idle worker no longer once it stood frozen for a lease, and again when it beats', async () => {
        await queue.heartbeat(W1);
        const observer = await harness.open();
        await harness.freeze(observer);
        expect((await queue.status('local')).workers).toBe(1); // the observer
        await queue.heartbeat(W1);
        expect((await queue.status('local')).workers).toBe(2);
      });

      it('brings an adoption back to its own instance and keeps its slot free for it', async () => {
        const { scanId } = await submit();
        const claim = await claimed([slot('a'), slot('b')]);
        await queue.checkpoint(claim, { phase: 'launched', reference: 'r' });
        harness.kill(W1);
        const other = await submit();
        const third = await submit();
        expect((await claimed([slot('b')], W2)).scan.scanId).toBe(other.scanId);
        expect(await queue.claim(W2, [slot('b')])).toBeUndefined();
        const adopted = await claimed([slot('b'), slot('a')], W2);
        expect([adopted.scan.scanId, adopted.instance]).toEqual([scanId, 'a']);
        expect(await queue.claim(W2, [slot('b'), slot('a')])).toBeUndefined();
        expect((await record(third.scanId)).state).toBe('queued');
      });

      it('lets an adoption go elsewhere only when its instance has been away for long', async () => {
        const { scanId } = await submit();
        await queue.checkpoint(await claimed(), { phase: 'launched', reference: 'r' });
        harness.kill(W1);
        expect(await queue.claim(W2, [slot('b')])).toBeUndefined();
        harness.advance(ADOPT_PATIENCE_MS + 1);
        const elsewhere = await claimed([slot('b')], W2);
        expect([elsewhere.scan.scanId, elsewhere.checkpoint?.instance]).toEqual([scanId, 'a']);
      });

      it('never takes its own scans from a worker that asks for more without beating', async () => {
        await submit();
        const claim = await claimed();
        for (let n = 0; n < 30; n++) {
          harness.advance(10_000);
          expect(await queue.claim(W1, [slot('a', 9)])).toBeUndefined();
        }
        expect((await queue.renew(claim)).owned).toBe(true);
      });

      it('gives a scan up whose workers keep dying', async () => {
        const { scanId } = await submit();
        for (let n = 0; n <= MAX_LOST_LEASES; n++) {
          await claimed([slot('a')], `doomed-${n}`);
          harness.kill(`doomed-${n}`);
        }
        expect(await queue.claim(W1, [slot('a')])).toBeUndefined();
        expect(await record(scanId)).toMatchObject({ state: 'failed', error: { code: 'scan_aborted' } });
      });

      it('does not use up a scan that goes on at its scanner while workers die', async () => {
        await submit();
        await queue.checkpoint(await claimed([slot('a')], 'first'), { phase: 'launched', reference: '77' });
        harness.kill('first');
        for (let n = 0; n <= 2 * MAX_LOST_LEASES; n++) {
          await claimed([slot('a')], `killed-${n}`);
          harness.kill(`killed-${n}`);
        }
        const next = await claimed([slot('a')]);
        expect(next.checkpoint).toMatchObject({ phase: 'launched', reference: '77' });
        expect(await queue.finish(next, { kind: 'completed', result: RESULT })).toBe(true);
      });

      it('gives a scan up whose report ends every worker that reads it, whatever happened before', async () => {
        const { scanId } = await submit();
        for (let n = 0; n <= 2 * MAX_LOST_LEASES; n++) {
          const claim = await claimed([slot('a')], `killed-${n}`);
          await queue.checkpoint(claim, { phase: 'launched', reference: '77' });
          harness.kill(`killed-${n}`);
        }
        for (let n = 0; n <= MAX_LOST_LEASES; n++) {
          const claim = await claimed([slot('a')], `doomed-${n}`);
          await queue.checkpoint(claim, { phase: 'launched', reference: '77' });
          await queue.reading(claim);
          harness.kill(`doomed-${n}`);
        }
        expect(await queue.claim(W1, [slot('a')])).toBeUndefined();
        expect(await record(scanId)).toMatchObject({ state: 'failed', error: { code: 'scan_aborted' } });
      });

      it('gives a scan up that ends its workers before it could start anything, or when its time is over', async () => {
        for (const phase of ['intent', 'launched'] as const) {
          const { scanId } = await submit({ max_duration_minutes: 60 });
          for (let n = 0; n <= MAX_LOST_LEASES; n++) {
            const claim = await claimed([slot('a')], `${phase}-${n}`);
            await queue.checkpoint(claim, { phase, reference: '77' });
            if (phase === 'launched' && n === 0) harness.advance(HOUR);
            harness.kill(`${phase}-${n}`);
          }
          expect(await queue.claim(W1, [slot('a')])).toBeUndefined();
          expect(await record(scanId)).toMatchObject({ state: 'failed', error: { code: 'scan_aborted' } });
        }
      });

      it('finds what a given-up scan left at its scanner when it is retried', async () => {
        const { scanId } = await submit();
        for (let n = 0; n <= MAX_LOST_LEASES; n++) {
          const claim = await claimed([slot('a')], `doomed-${n}`);
          if (n === 0) await queue.checkpoint(claim, { phase: 'launched', reference: '77' });
          expect(await queue.reading(claim)).toBe(true);
          harness.kill(`doomed-${n}`);
        }
        await queue.claim(W1, [slot('a')]);
        expect(await record(scanId)).toMatchObject({ state: 'failed', error: { code: 'scan_aborted' } });
        expect((await queue.referencedAttempts([scanId])).get(scanId)?.size).toBe(1);
        await queue.retryDeadLetter(T, scanId);
        expect(await queue.claim(W1, [slot('b')])).toBeUndefined();
        const again = await claimed([slot('a'), slot('b')]);
        expect(again).toMatchObject({
          instance: 'a',
          checkpoint: { phase: 'launched', reference: '77', instance: 'a' },
        });
        await queue.finish(again, { kind: 'failed', error: ERROR });
        await queue.retryDeadLetter(T, scanId);
        expect((await claimed([slot('b')])).checkpoint).toBeUndefined();
      });

      it('finds what an expired scan left at its scanner when it is retried', async () => {
        const { scanId } = await submit();
        await queue.checkpoint(await claimed(), { phase: 'launched', reference: '77' });
        harness.kill(W1);
        expect(await queue.claim(W2, [])).toBeUndefined();
        harness.advance(QUEUED_EXPIRY_HOURS * HOUR + 1);
        expect(await queue.claim(W2, [])).toBeUndefined();
        expect(await record(scanId)).toMatchObject({ state: 'failed', error: { code: 'no_scanner_available' } });
        await queue.retryDeadLetter(T, scanId);
        expect((await claimed([slot('a')], W2)).checkpoint?.reference).toBe('77');
      });

      it('puts a released scan back untouched: checkpoint kept, attempt not counted', async () => {
        await submit();
        const claim = await claimed();
        await queue.checkpoint(claim, { phase: 'intent' });
        expect(await queue.finish(claim, { kind: 'released' })).toBe(true);
        const again = await claimed([slot('a')], W2);
        expect([again.epoch, again.scan.attempt, again.checkpoint?.phase]).toEqual([2, 1, 'intent']);
      });
    });

    describe('ends', () => {
      it('makes results visible with the fenced write', async () => {
        const { scanId } = await submit();
        const claim = await claimed();
        await queue.finish(claim, { kind: 'completed', result: RESULT });
        const done = await record(scanId);
        expect(done).toMatchObject({ state: 'completed', result: RESULT, epoch: 1, instance: 'a' });
        expect(done.finishedAt).toBeDefined();
        expect(await queue.referencedAttempts([scanId, 'scan_none'])).toEqual(new Map([[scanId, new Set([1])]]));
      });

      it('queues a retry when its delay is over, without a checkpoint', async () => {
        const { scanId } = await submit();
        const claim = await claimed();
        await queue.checkpoint(claim, { phase: 'intent' });
        await queue.finish(claim, { kind: 'retry', error: ERROR, delayMs: 5_000 });
        expect(await record(scanId)).toMatchObject({ state: 'retrying', error: ERROR });
        expect(await queue.nextRetryInMs()).toBe(5_000);
        expect(await queue.claim(W1, [slot('a')])).toBeUndefined();
        harness.advance(5_000);
        const again = await claimed();
        expect([again.scan.attempt, again.epoch, again.checkpoint]).toEqual([2, 2, undefined]);
        expect(await queue.nextRetryInMs()).toBeUndefined();
      });

      it('keeps the checkpoint over a retry of what is not to be started twice, and lets a cancel end it at once', async () => {
        const { scanId } = await submit();
        const first = await claimed();
        await queue.checkpoint(first, { phase: 'launched', reference: 'remote-7' });
        await queue.finish(first, { kind: 'retry', error: ERROR, delayMs: 5_000, keepsRun: true });
        expect(await record(scanId)).toMatchObject({ state: 'retrying' });
        harness.advance(5_000);
        const again = await claimed();
        expect(again.checkpoint).toMatchObject({ phase: 'launched', reference: 'remote-7' });
        await queue.finish(again, { kind: 'retry', error: ERROR, delayMs: HOUR, keepsRun: true });
        expect(await queue.cancel(T, scanId)).toMatchObject({ effect: 'signalled', scan: { cancelRequested: true } });
        expect((await claimed()).checkpoint).toMatchObject({ reference: 'remote-7' });
      });

      it('does not let a clock that was set back hold up retries, leases or order', async () => {
        const retried = await submit();
        await queue.finish(await claimed(), { kind: 'retry', error: ERROR, delayMs: 5_000 });
        harness.setBack(HOUR);
        expect(must(await queue.nextRetryInMs())).toBeLessThanOrEqual(5_000);
        const later = await submit();
        expect((await claimed()).scan.scanId).toBe(later.scanId);
        expect(await queue.claim(W2, [slot('a')])).toBeUndefined(); // the lease of the other holds
        harness.advance(5_000);
        expect((await claimed([slot('a', 2)])).scan.scanId).toBe(retried.scanId);
        expect((await queue.list(T, { limit: 5 })).scans.map(({ scanId }) => scanId)).toEqual([
          later.scanId,
          retried.scanId,
        ]);
      });

      it('fails a scan that waited too long', async () => {
        const { scanId } = await submit();
        harness.advance(QUEUED_EXPIRY_HOURS * HOUR + 1);
        expect(await queue.claim(W1, [])).toBeUndefined();
        expect(await record(scanId)).toMatchObject({ state: 'failed', error: { code: 'no_scanner_available' } });
      });

      it('starts a scan that can start, however long it waited', async () => {
        const scans = [await submit(), await submit()];
        harness.advance(QUEUED_EXPIRY_HOURS * HOUR + 1);
        for (const { scanId } of scans) expect((await claimed([slot('a', 2)])).scan.scanId).toBe(scanId);
      });

      it('fails no scan because the clock leapt ahead, and counts on from there', async () => {
        const { scanId } = await submit();
        harness.advance((QUEUED_EXPIRY_HOURS - 1) * HOUR);
        harness.setBack(-10 * QUEUED_EXPIRY_HOURS * HOUR);
        const late = await submit();
        expect(await queue.claim(W1, [])).toBeUndefined();
        expect((await record(scanId))?.state).toBe('queued');
        harness.advance(HOUR + 1);
        expect(await queue.claim(W1, [])).toBeUndefined();
        expect((await record(scanId))?.state).toBe('failed');
        expect((await record(late.scanId))?.state).toBe('queued');
      });

      it('lists dead letters, and a retry of one runs again from the start', async () => {
        const { scanId } = await submit();
        await queue.finish(await claimed(), { kind: 'timed_out', error: ERROR, result: RESULT });
        expect((await queue.deadLetters(T, 10)).map((scan) => [scan.scanId, scan.state])).toEqual([
          [scanId, 'timed_out'],
        ]);
        expect(await queue.deadLetters('other', 10)).toEqual([]);
        const back = await queue.retryDeadLetter(T, scanId);
        expect(back).toMatchObject({ state: 'queued', attempt: 0, position: 1 });
        expect([back.error, back.result, back.finishedAt]).toEqual([undefined, undefined, undefined]);
        const again = await claimed();
        expect([again.scan.scanId, again.epoch, again.scan.attempt]).toEqual([scanId, 2, 1]);
        await expect(queue.retryDeadLetter(T, scanId)).rejects.toMatchObject({ code: 'invalid_request' });
        await expect(queue.retryDeadLetter('other', scanId)).rejects.toMatchObject({ code: 'scan_not_found' });
      });

      it('purges only dead letters of the tenant from before the time given', async () => {
        const { scanId } = await submit();
        await queue.finish(await claimed(), { kind: 'failed', error: ERROR });
        const at = must((await record(scanId)).finishedAt);
        expect(await queue.purgeDeadLetters(T, at)).toEqual([]);
        expect(await queue.purgeDeadLetters('other', at + 1)).toEqual([]);
        expect(await queue.purgeDeadLetters(T, at + 1)).toEqual([scanId]);
        expect(await queue.get(T, scanId)).toBeUndefined();
        expect(await queue.events(T, scanId, 0)).toEqual([]);
      });
    });

    describe('cancel', () => {
      it('removes waiting and retrying scans at once', async () => {
        const waiting = await submit();
        const other = await harness.open();
        expect(await other.cancel(T, waiting.scanId, 'why')).toMatchObject({
          effect: 'removed',
          scan: { state: 'cancelled' },
        });
        const retrying = await submit();
        await queue.finish(await claimed(), { kind: 'retry', error: ERROR, delayMs: 1 });
        expect((await queue.cancel(T, retrying.scanId)).effect).toBe('removed');
        harness.advance(10);
        expect(await queue.claim(W1, [slot('a')])).toBeUndefined();
        expect(await queue.liveCount()).toBe(0);
      });

      it('tells the worker of a running scan, which stays running and keeps its slot until it has stopped', async () => {
        const { scanId } = await submit();
        await submit();
        const claim = await claimed();
        expect((await queue.renew(claim)).cancel).toBe(false);
        const other = await harness.open();
        const { effect, scan } = await other.cancel(T, scanId);
        expect([effect, scan.state, scan.cancelRequested, scan.progress?.phase]).toEqual([
          'signalled',
          'running',
          true,
          'cancelling',
        ]);
        expect(await queue.renew(claim)).toEqual({ owned: true, cancel: true });
        expect(await queue.claim(W2, [slot('a')])).toBeUndefined();
        await queue.progress(claim, PROGRESS);
        expect((await record(scanId)).progress?.phase).toBe('cancelling');
        await queue.finish(claim, { kind: 'cancelled', result: RESULT });
        expect(await record(scanId)).toMatchObject({ state: 'cancelled', result: RESULT });
        expect((await queue.cancel(T, scanId)).effect).toBe('already_final');
        expect(await queue.claim(W2, [slot('a')])).toBeDefined();
      });

      it('hands a cancelled scan that may still run at its scanner to another worker, to end it there', async () => {
        const { scanId } = await submit();
        const claim = await claimed();
        await queue.checkpoint(claim, { phase: 'intent' });
        await queue.cancel(T, scanId);
        harness.kill(W1);
        const heir = await claimed([slot('a')], W2);
        expect([heir.scan.scanId, heir.checkpoint?.phase]).toEqual([scanId, 'intent']);
        expect(await queue.renew(heir)).toEqual({ owned: true, cancel: true });
      });

      it('tells a worker too when the scan waits to be adopted', async () => {
        const { scanId } = await submit();
        const claim = await claimed();
        await queue.checkpoint(claim, { phase: 'launched', reference: 'r' });
        await queue.finish(claim, { kind: 'released' });
        expect((await queue.cancel(T, scanId)).effect).toBe('signalled');
        expect(await queue.renew(await claimed())).toEqual({ owned: true, cancel: true });
      });

      it('ends a cancelled scan without a checkpoint when its worker dies or would try again', async () => {
        const first = await submit();
        await claimed();
        await queue.cancel(T, first.scanId);
        harness.kill(W1);
        expect(await queue.claim(W2, [slot('a')])).toBeUndefined();
        expect((await record(first.scanId)).state).toBe('cancelled');
        const second = await submit();
        const claim = await claimed([slot('a')], W2);
        await queue.cancel(T, second.scanId);
        await queue.finish(claim, { kind: 'retry', error: ERROR, delayMs: 1 });
        expect((await record(second.scanId)).state).toBe('cancelled');
      });

      it('knows no scan of another tenant', async () => {
        const { scanId } = await submit();
        await expect(queue.cancel('other', scanId)).rejects.toMatchObject({ code: 'scan_not_found' });
        expect(await queue.get('other', scanId)).toBeUndefined();
        expect(await queue.events('other', scanId, 0)).toEqual([]);
        expect((await queue.list('other', { limit: 5 })).total).toBe(0);
        expect((await queue.status('other')).next).toEqual([]);
      });
    });

    describe('events', () => {
      it('keeps every change in order without gaps, for any reader from any point', async () => {
        const { scanId } = await submit();
        const claim = await claimed();
        await queue.progress(claim, PROGRESS);
        await queue.cancel(T, scanId);
        await queue.finish(claim, { kind: 'cancelled' });
        const other = await harness.open();
        const all = await other.events(T, scanId, 0);
        expect(all.map(({ seq, state, progress }) => [seq, state, progress?.phase])).toEqual([
          [1, 'queued', undefined],
          [2, 'running', undefined],
          [3, 'running', 'scanning'],
          [4, 'running', 'cancelling'],
          [5, 'cancelled', 'cancelling'],
        ]);
        expect(await other.events(T, scanId, 3, 1)).toEqual(all.slice(3, 4));
      });

      it('wakes whoever waits for an event, in another process too', async () => {
        const { scanId } = await submit();
        const other = await harness.open();
        const { signal } = new AbortController();
        expect(await other.waitForEvent(T, scanId, 0, signal)).toBe(true);
        const waits = [other.waitForEvent(T, scanId, 1, signal), queue.waitForEvent(T, scanId, 1, signal)];
        await claimed();
        expect(await Promise.all(waits)).toEqual([true, true]);
        const stop = new AbortController();
        const given = other.waitForEvent(T, scanId, 99, stop.signal);
        stop.abort();
        expect(await given).toBe(false);
        expect(await other.waitForEvent(T, scanId, 0, stop.signal)).toBe(false);
      });

      it('wakes a waiting worker for new work and for a cancel', async () => {
        const worker = await harness.open();
        const { signal } = new AbortController();
        await worker.claim(W1, [slot('a')]);
        const work = worker.waitForWork(signal, 20_000);
        const { scanId } = await submit();
        expect(await work).toBe(true);
        expect(await worker.claim(W1, [slot('a')])).toBeDefined();
        const told = worker.waitForWork(signal, 20_000);
        await queue.cancel(T, scanId);
        expect(await told).toBe(true);
        const stop = new AbortController();
        stop.abort();
        expect(await worker.waitForWork(stop.signal, 20_000)).toBe(false);
      });
    });

    describe('lists and status', () => {
      it('pages newest first with the true total, also under a target filter', async () => {
        const made = [];
        for (let n = 0; n < 7; n++) made.push((await submit({ targets: [`h${n % 2}.test`, `x${n}.test`] })).scanId);
        const filter = { limit: 3 };
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await queue.list(T, { ...filter, ...(cursor ? { cursor } : {}) });
          expect(page.total).toBe(7);
          seen.push(...page.scans.map(({ scanId }) => scanId));
          cursor = page.nextCursor;
        } while (cursor);
        expect(seen).toEqual(made.toReversed());
        const odd = await queue.list(T, { limit: 2, matchesTargets: (targets) => targets.includes('h1.test') });
        expect([odd.total, odd.scans.length, odd.nextCursor !== undefined]).toEqual([3, 2, true]);
      });

      it('filters by state, pool, project and time', async () => {
        await submit({ project_id: 'p1' });
        await claimed();
        harness.advance(1_000);
        const web = await submit({ pool: 'web' });
        const count = async (filter: object) => (await queue.list(T, { limit: 9, ...filter })).total;
        expect(await count({ state: 'running' })).toBe(1);
        expect(await count({ pool: 'web' })).toBe(1);
        expect(await count({ projectId: 'p1' })).toBe(1);
        expect(await count({ createdAfter: web.createdAt })).toBe(1);
        expect(await count({ createdBefore: web.createdAt })).toBe(1);
      });

      it('refuses a cursor that it did not make or that belongs to another query', async () => {
        for (let n = 0; n < 3; n++) await submit();
        const cursor = must((await queue.list(T, { limit: 1 })).nextCursor);
        for (const filter of [
          { limit: 1, cursor: 'nonsense' },
          { limit: 1, cursor: '' },
          { limit: 1, cursor, state: 'queued' },
          { limit: 1, cursor, targetKey: 'a.test' },
        ] as const) {
          await expect(queue.list(T, filter)).rejects.toMatchObject({ code: 'cursor_invalid' });
        }
        await expect(queue.list('other', { limit: 1, cursor })).rejects.toMatchObject({ code: 'cursor_invalid' });
        // Nothing in it counts the scans of others.
        const [inside] = Buffer.from(cursor, 'base64url').toString().split('.');
        expect(inside).toBe((await queue.list(T, { limit: 1 })).scans[0]?.scanId);
      });

      it('counts what waits and runs, per pool', async () => {
        await submit();
        const waiting = await submit();
        const web = await submit({ pool: 'web', priority: 1 });
        await claimed();
        harness.advance(500);
        await queue.heartbeat(W2);
        const status = await queue.status(T);
        expect(status.pools).toEqual([
          { pool: 'nmap', queued: 1, retrying: 0, running: 1, deadLetters: 0, oldestQueuedMs: 500 },
          { pool: 'web', queued: 1, retrying: 0, running: 0, deadLetters: 0, oldestQueuedMs: 500 },
        ]);
        expect(status.workers).toBe(2);
        expect(status.next.map(({ scanId }) => scanId)).toEqual([web.scanId, waiting.scanId]);
        expect((await queue.status(T, 'none')).pools).toMatchObject([{ pool: 'none', queued: 0 }]);
        expect(await queue.liveCount()).toBe(3);
        await queue.retire(W2);
        expect((await queue.status(T)).workers).toBe(1);
      });

      it('shares what workers know of instances', async () => {
        await queue.putInstanceHealth('nmap', 'a', { status: 'healthy', canLaunch: true, version: '7.9' });
        await queue.putInstanceHealth('nmap', 'a', { status: 'unhealthy', canLaunch: false, why: 'gone' });
        const other = await harness.open();
        expect(await other.instanceStates()).toMatchObject([
          { pool: 'nmap', instance: 'a', health: { status: 'unhealthy', canLaunch: false, why: 'gone' } },
        ]);
      });
    });
  });
}
