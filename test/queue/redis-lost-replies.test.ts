import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Progress, ScanError, ScanResult } from '../../src/model/scan.ts';
import { noCoverage } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import type { Claim, ScanQueue } from '../../src/queue/queue.ts';
import { clientOptions } from '../../src/queue/redis/client-options.ts';
import { newImport } from '../contracts/imports-contract.ts';
import { newScan, type QueueHarness } from '../contracts/queue-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { redisHarness } from './redis-harness.ts';
import { startProxy, type RedisProxy } from './redis-proxy.ts';

const T = 'local';
const SLOTS = [{ pool: 'nmap', instance: 'a', limit: 9 }];
const ERROR: ScanError = { code: 'scanner_unreachable', message: 'away', hint: 'wait', retryable: true };
const RESULT: ScanResult = {
  verdict: 'not_tested',
  coverage: noCoverage(1),
  findings: 0,
  by_severity: noSeverities(),
  artefacts: [],
};
const PROGRESS: Progress = {
  percent: 1,
  phase: 'looking',
  hosts_done: 0,
  hosts_total: 1,
  findings_so_far: 0,
  estimated: true,
  updated_at: '2026-01-01T00:00:00Z',
};

/** Until it has seen a script, a server answers that it does not know it: losing that would prove nothing. */
async function teachScripts(queue: ScanQueue): Promise<void> {
  const { scan } = await queue.submit(newScan());
  await queue.recordImport(newImport());
  const claim = await queue.claim('w', SLOTS);
  if (!claim) throw new Error('nothing to claim');
  await queue.checkpoint(claim, { phase: 'launched' });
  await queue.progress(claim, PROGRESS);
  await queue.finish(claim, { kind: 'failed', error: ERROR });
  await queue.retryDeadLetter(T, scan.scanId);
  await queue.cancel(T, scan.scanId);
  await queue.submit(newScan());
  await queue.finish((await queue.claim('w', SLOTS)) ?? claim, { kind: 'failed', error: ERROR });
  await queue.purgeDeadLetters(T, Number.MAX_SAFE_INTEGER);
}

describe('a reply that was lost with its connection', () => {
  let server: RedisServer;
  let proxy: RedisProxy;
  let harness: QueueHarness;
  let queue: ScanQueue;
  beforeAll(async () => {
    server = await startRedis();
    const own = await redisHarness(server.url);
    await teachScripts(await own.open());
    await own.close();
  });
  beforeEach(async () => {
    proxy = await startProxy(server.port);
    harness = await redisHarness(proxy.url, {
      connect: (purpose) => new Redis(purpose === 'commands' ? proxy.url : server.url, clientOptions(purpose)),
    });
    queue = await harness.open();
  });
  afterEach(async () => {
    await harness.close();
    await proxy.close();
  });
  afterAll(async () => await server.close());

  const claimed = async (): Promise<Claim> => {
    const claim = await queue.claim('w', SLOTS);
    if (!claim) throw new Error('nothing to claim');
    return claim;
  };
  const states = async (scanId: string) => (await queue.events(T, scanId, 0)).map(({ state }) => state);

  it('of a submit: one scan, told as new', async () => {
    const scan = newScan();
    proxy.loseReplyOf(scan.scanId);
    const made = await queue.submit(scan);
    expect([made.deduplicated, made.scan.scanId, made.scan.position]).toEqual([false, scan.scanId, 1]);
    expect((await queue.list(T, { limit: 5 })).total).toBe(1);
    expect((await queue.status(T)).pools).toMatchObject([{ queued: 1 }]);
  });

  it('of an import: one scan, told as new', async () => {
    const scan = newImport();
    proxy.loseReplyOf(scan.scanId);
    expect(await queue.recordImport(scan)).toMatchObject({ deduplicated: false, scan: { scanId: scan.scanId } });
    expect((await queue.list(T, { limit: 5 })).total).toBe(1);
  });

  it('of a claim: the scan is not taken twice', async () => {
    const { scan } = await queue.submit(newScan());
    await queue.submit(newScan());
    proxy.loseReplyOf('"instance"');
    expect((await claimed()).scan.scanId).toBe(scan.scanId);
    expect(await states(scan.scanId)).toEqual(['queued', 'running']);
    expect(await queue.activeByInstance()).toEqual(new Map([['nmap/a', 1]]));
  });

  it('of a claim that gave up meanwhile: the worker gets that scan with its next claim', async () => {
    const { scan } = await queue.submit(newScan());
    await queue.submit(newScan());
    await queue.claim('w', []); // from here on a claim is one step
    await server.kill('SIGSTOP');
    await expect(queue.claim('w', SLOTS)).rejects.toMatchObject({ code: 'queue_unavailable' });
    await server.kill('SIGCONT');
    const claim = await claimed();
    expect([claim.scan.scanId, claim.epoch, claim.scan.attempt]).toEqual([scan.scanId, 1, 1]);
    expect(await queue.activeByInstance()).toEqual(new Map([['nmap/a', 1]]));
    expect(await queue.renew(claim)).toEqual({ owned: true, cancel: false });
    expect((await claimed()).scan.scanId).not.toBe(scan.scanId);
  });

  it.each([
    ['an end', { kind: 'completed', result: RESULT }, 'completed'],
    ['a retry', { kind: 'retry', error: ERROR, delayMs: 1_000 }, 'retrying'],
    ['a release', { kind: 'released' }, 'queued'],
  ] as const)('of %s: it is told as written, and is written once', async (_, outcome, state) => {
    const { scan } = await queue.submit(newScan());
    const claim = await claimed();
    proxy.loseReplyOf(outcome.kind);
    expect(await queue.finish(claim, outcome)).toBe(true);
    expect(await states(scan.scanId)).toEqual(['queued', 'running', state]);
    expect(await queue.finish(claim, { kind: 'released' })).toBe(false);
  });

  it('of progress and checkpoints: written once', async () => {
    const { scan } = await queue.submit(newScan());
    const claim = await claimed();
    proxy.loseReplyOf('launched');
    expect(await queue.checkpoint(claim, { phase: 'launched', reference: 'r' })).toBe(true);
    proxy.loseReplyOf('looking');
    expect(await queue.progress(claim, PROGRESS)).toBe(true);
    expect(await states(scan.scanId)).toEqual(['queued', 'running', 'running']);
  });

  it('of a cancel, a retry and a removal of a dead letter: the same answer', async () => {
    const { scan } = await queue.submit(newScan());
    proxy.loseReplyOf(scan.scanId);
    expect(await queue.cancel(T, scan.scanId)).toMatchObject({ effect: 'removed', scan: { state: 'cancelled' } });
    const { scan: other } = await queue.submit(newScan());
    const claim = await claimed();
    proxy.loseReplyOf(other.scanId);
    expect(await queue.cancel(T, other.scanId)).toMatchObject({ effect: 'signalled' });
    await queue.finish(claim, { kind: 'failed', error: ERROR });
    proxy.loseReplyOf(other.scanId);
    expect(await queue.retryDeadLetter(T, other.scanId)).toMatchObject({ state: 'queued' });
    await queue.finish(await claimed(), { kind: 'failed', error: ERROR });
    harness.advance(1);
    proxy.loseReplyOf(other.scanId);
    expect(await queue.purgeDeadLetters(T, Number.MAX_SAFE_INTEGER)).toEqual([other.scanId]);
    expect((await queue.list(T, { limit: 5 })).total).toBe(1);
  });

  it('is noticed on a connection that went dead without a word', async () => {
    proxy.block(true);
    await expect(queue.submit(newScan())).rejects.toMatchObject({ code: 'queue_unavailable' });
    proxy.block(false);
    await expect.poll(async () => await queue.liveCount().catch(() => -1)).toBeGreaterThan(-1);
  });
});
