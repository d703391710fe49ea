import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { noCoverage } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import type { ScanError, ScanResult } from '../../src/model/scan.ts';
import type { Claim, ListFilter, Outcome, ScanQueue } from '../../src/queue/queue.ts';
import { newScan, QUEUED_EXPIRY_HOURS, type QueueHarness } from '../contracts/queue-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { redisHarness } from './redis-harness.ts';
import { sqliteHarness } from './sqlite-harness.ts';

const HOUR = 3_600_000;
const RESULT: ScanResult = {
  verdict: 'not_tested',
  coverage: noCoverage(1),
  findings: 0,
  by_severity: noSeverities(),
  artefacts: [],
};
const ERROR: ScanError = { code: 'scanner_unreachable', message: 'away', hint: 'wait', retryable: true };
const OUTCOMES: readonly Outcome[] = [
  { kind: 'completed', result: RESULT },
  { kind: 'failed', error: ERROR, result: RESULT },
  { kind: 'timed_out', error: ERROR },
  { kind: 'cancelled' },
  { kind: 'retry', error: ERROR, delayMs: 5_000 },
  { kind: 'retry', error: ERROR, delayMs: 60_000, keepsRun: true },
  { kind: 'released' },
];
const TENANTS = ['t1', 't2'];
const SLOTS = [
  { pool: 'nmap', instance: 'a', limit: 2 },
  { pool: 'nmap', instance: 'b', limit: 1 },
  { pool: 'web', instance: 'c', limit: 2 },
];

const Step = fc.record({
  act: fc.constantFrom(
    'submit',
    'submit',
    'claim',
    'claim',
    'write',
    'finish',
    'finish',
    'cancel',
    'kill',
    'wait',
    'dead',
  ),
  n: fc.nat(1_000),
  tenant: fc.constantFrom(...TENANTS),
  pool: fc.constantFrom('nmap', 'nmap', 'web'),
  priority: fc.constantFrom(1, 5, 5, 9),
  twin: fc.constantFrom(undefined, undefined, 'same.test'),
  pinned: fc.constantFrom(undefined, undefined, undefined, 'b'),
  key: fc.constantFrom(undefined, undefined, 'key-0001'),
});
type Step = typeof Step extends fc.Arbitrary<infer Value> ? Value : never;

/** One adapter with what a run has seen of it. */
interface Side {
  readonly harness: QueueHarness;
  readonly queue: ScanQueue;
  readonly claims: Claim[];
  readonly scans: (readonly [tenant: string, scanId: string])[];
  workers: number;
}

const pickOf = <T>(items: readonly T[], n: number): T | undefined => items[n % Math.max(1, items.length)];
const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : error);

/** What each step answers is compared; `scan` is made once, so that both sides store the same. */
const ACTS: Readonly<
  Record<Step['act'], (side: Side, step: Step, scan: ReturnType<typeof newScan>) => Promise<unknown>>
> = {
  async submit(side, _, scan) {
    const made = await side.queue.submit(scan);
    if (made.deduplicated === false) side.scans.push([scan.tenant, scan.scanId]);
    return made;
  },
  async claim(side, { n }) {
    const slots = n % 5 === 0 ? SLOTS.slice(0, 2) : SLOTS;
    const claim = await side.queue.claim(`w${side.workers}`, slots);
    if (claim) side.claims.push(claim);
    return claim;
  },
  async write(side, { n }) {
    const claim = pickOf(side.claims, n);
    if (!claim) return undefined;
    const progress = { percent: n % 100, phase: 'p', hosts_done: 0, hosts_total: 1, findings_so_far: 0 };
    return [
      await side.queue.renew(claim),
      n % 2 === 0 && (await side.queue.checkpoint(claim, { phase: 'intent' })),
      n % 4 === 0 && (await side.queue.checkpoint(claim, { phase: 'launched', reference: `r${n}` })),
      n % 8 === 0 && (await side.queue.reading(claim)),
      await side.queue.progress(claim, { ...progress, estimated: true, updated_at: '2026-01-01T00:00:00Z' }, 'ext'),
    ];
  },
  async finish(side, { n }) {
    const claim = pickOf(side.claims, n);
    const outcome = pickOf(OUTCOMES, n);
    if (!claim || !outcome) return undefined;
    side.claims.splice(side.claims.indexOf(claim), 1);
    return await side.queue.finish(claim, outcome);
  },
  async cancel(side, { n }) {
    const [tenant, scanId] = pickOf(side.scans, n) ?? ['t1', 'scan_none'];
    // Only Redis looks the position up for this answer.
    return await side.queue
      .cancel(tenant, scanId, 'why')
      .then(({ effect, scan }) => ({ effect, scan: { ...scan, position: undefined } }), codeOf);
  },
  async kill(side, { n }) {
    if (n % 3 > 0) return;
    side.harness.kill(`w${side.workers}`);
    side.workers += 1;
  },
  async wait(side, { n }) {
    const spans = [1, 5_000, 70_000, 1_000_000, HOUR, QUEUED_EXPIRY_HOURS * HOUR + 1];
    if (n % 11 === 0) side.harness.setBack(HOUR);
    else side.harness.advance(pickOf(n % 7 === 0 ? spans : spans.slice(0, 3), n) ?? 1);
  },
  async dead(side, { n, tenant }) {
    if (n % 6 === 0) return await side.queue.purgeDeadLetters(tenant, Number.MAX_SAFE_INTEGER).catch(codeOf);
    const [owner, scanId] = pickOf(side.scans, n) ?? ['t1', 'scan_none'];
    return await side.queue.retryDeadLetter(owner, scanId).catch(codeOf);
  },
};

/** Cursors hold numbers of creation; only SQLite gives one of a purged scan again. */
async function page(queue: ScanQueue, tenant: string, filter: ListFilter): Promise<unknown> {
  const { scans, total, nextCursor } = await queue.list(tenant, filter);
  return { scans, total, hasMore: nextCursor !== undefined };
}

/** Everything readers can see. */
async function seen({ queue, scans }: Side): Promise<unknown> {
  const ids = scans.map(([, scanId]) => scanId);
  const all = scans.map(async ([tenant, scanId]) => [
    await queue.get(tenant, scanId),
    await queue.events(tenant, scanId, 0),
  ]);
  const ofTenants = TENANTS.map(async (tenant) => [
    { ...(await queue.status(tenant)), backend: '' },
    (await queue.deadLetters(tenant, 5)).map(({ scanId }) => scanId).toSorted(),
    await page(queue, tenant, { limit: 3, state: 'queued' }),
    await page(queue, tenant, { limit: 2, pool: 'nmap' }),
  ]);
  return [
    await Promise.all(all),
    await Promise.all(ofTenants),
    await queue.activeByInstance(),
    await queue.referencedAttempts(ids),
    await queue.liveCount(),
    await queue.nextRetryInMs(),
    await queue.expectedWaitMs('nmap', 3, 2),
  ];
}

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis({ args: ['--appendfsync', 'no'] });
});
afterAll(async () => await server.close());

it('both adapters answer the same to any run of calls, and show the same afterwards', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(Step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const sides: Side[] = [];
      for (const harness of [await sqliteHarness(), await redisHarness(server.url)]) {
        sides.push({ harness, queue: await harness.open(), claims: [], scans: [], workers: 0 });
      }
      try {
        for (const [index, step] of steps.entries()) {
          const { tenant, pool, priority, twin, pinned, key } = step;
          const scan = newScan(
            { pool, priority, ...(twin ? { targets: [twin] } : {}), ...(pinned ? { pinned_instance: pinned } : {}) },
            { tenant, ...(key ? { idempotencyKey: key } : {}) },
          );
          const answers = [];
          for (const side of sides) answers.push(await ACTS[step.act](side, step, scan).catch(codeOf));
          expect([index, step.act, answers[1]]).toEqual([index, step.act, answers[0]]);
        }
        const [embedded, redis] = await Promise.all(sides.map(seen));
        expect(redis).toEqual(embedded);
      } finally {
        for (const { harness } of sides) await harness.close();
      }
    }),
    // The same runs each time: of scans that share a round, a released and a retried one may stand the other way round.
    { numRuns: 40, seed: 5 },
  );
}, 60_000);
