import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noCoverage } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import type { ScanResult } from '../../src/model/scan.ts';
import { clientOptions } from '../../src/queue/redis/client-options.ts';
import { openRedisQueue, type RedisQueue } from '../../src/queue/redis/queue.ts';
import type { Look } from '../../src/queue/scan-index.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { describeScanIndexContract } from '../contracts/scan-index-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { newPrefix, REDIS_SETTINGS } from './redis-harness.ts';
import { fakeClock } from './sqlite-harness.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.close());

async function harness() {
  const clock = fakeClock();
  const prefix = newPrefix();
  const open: RedisQueue[] = [];
  return {
    prefix,
    clock,
    async open() {
      const opened = await openRedisQueue({
        connect: (purpose) => new Redis(server.url, clientOptions(purpose)),
        prefix,
        clock,
        settings: REDIS_SETTINGS,
        durability: 'reply',
        isAlive: () => true,
      });
      open.push(opened);
      return opened;
    },
    advance: (ms: number) => clock.advance(ms),
    async close() {
      for (const { queue } of open) await queue.close();
    },
  };
}

describeScanIndexContract('the Redis index', harness);

const T = 'local';

describe('the Redis index', () => {
  let own: Awaited<ReturnType<typeof harness>>;
  let opened: RedisQueue;
  let raw: Redis;
  beforeEach(async () => {
    own = await harness();
    opened = await own.open();
    raw = new Redis(server.url);
  });
  afterEach(async () => {
    raw.disconnect();
    await own.close();
  });

  const RESULT: ScanResult = {
    verdict: 'complete',
    coverage: noCoverage(0),
    findings: 0,
    by_severity: noSeverities(),
    artefacts: [],
  };

  /** A scan that failed with results, so that it can be removed and started again. */
  const finished = async (): Promise<{ scanId: string; finishedAt: number }> => {
    const { scan } = await opened.queue.submit(newScan());
    const claim = await opened.queue.claim('worker-1', [{ pool: 'nmap', instance: 'a', limit: 9 }]);
    if (!claim) throw new Error('nothing to claim');
    own.advance(1_000);
    const error = { code: 'scan_aborted', message: 'm', hint: 'h', retryable: true } as const;
    await opened.queue.finish(claim, { kind: 'failed', error, result: RESULT });
    return { scanId: scan.scanId, finishedAt: (await opened.queue.get(T, scan.scanId))?.finishedAt ?? 0 };
  };
  async function* once(looks: readonly Look[]): AsyncGenerator<readonly Look[]> {
    yield looks;
  }
  const enter = (scan: { scanId: string; finishedAt: number }, looks: AsyncIterable<readonly Look[]>): Promise<void> =>
    opened.index.add({ tenant: T, engine: 'nmap', ...scan }, looks);
  const look = (place: string, over: Partial<Look> = {}): Look => ({ place, isLooked: true, also: [], ...over });
  const missing = async (): Promise<readonly string[]> =>
    (await opened.index.missing(T, 1_000)).map(({ scanId }) => scanId);
  const latest = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const part of opened.index.latest(T)) found.push(...part.map(({ place }) => place));
    return found;
  };
  const held = async (): Promise<readonly number[]> => {
    const at = (name: string): string => `{${own.prefix}}:${name}:${T}`;
    return [await raw.hlen(at('look')), await raw.zcard(at('looks')), await raw.zcard(at('unplaced'))];
  };

  it('asks for no scan again when one goes whose places newer ones have taken', async () => {
    const [old, newer] = [await finished(), await finished()];
    for (const scan of [old, newer]) await enter(scan, once([look('10.0.0.1'), look('10.0.0.2')]));
    await opened.queue.purgeDeadLetters(T, old.finishedAt + 1);
    expect(await missing()).toEqual([]);
    expect(await latest()).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  it('clears away the looks of a scan that is gone, once somebody meets them', async () => {
    await enter(await finished(), once([look('10.0.0.1'), look('a.test', { also: 'unknown' })]));
    expect(await held()).toEqual([2, 2, 1]);
    await opened.queue.purgeDeadLetters(T, Number.MAX_SAFE_INTEGER);
    expect(await opened.index.unplaced(T, 9)).toEqual([]);
    expect(await latest()).toEqual([]);
    expect(await held()).toEqual([0, 0, 0]);
  });

  it('enters nothing more of a scan that goes meanwhile, and asks again for one that may have missed a place', async () => {
    const [old, newer] = [await finished(), await finished()];
    await enter(newer, once([look('10.0.0.1')]));
    async function* whileOneGoes(): AsyncGenerator<readonly Look[]> {
      yield [look('10.0.0.1')];
      await opened.queue.retryDeadLetter(T, newer.scanId);
      yield [look('10.0.0.2')];
    }
    await enter(old, whileOneGoes());
    expect(await missing()).toEqual([old.scanId]);
    await enter(old, once([look('10.0.0.1'), look('10.0.0.2')]));
    expect(await latest()).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(await missing()).toEqual([]);
    async function* whileItGoes(): AsyncGenerator<readonly Look[]> {
      yield [look('10.0.0.3')];
      await opened.queue.purgeDeadLetters(T, Number.MAX_SAFE_INTEGER);
      yield [look('10.0.0.4')];
    }
    await enter(old, whileItGoes());
    expect(await latest()).toEqual([]);
  });

  it('finds every place by a word that hundreds have, in order', async () => {
    const places = Array.from({ length: 350 }, (_, n) => `https://app.test/${String(n).padStart(3, '0')}`);
    const findBy = ['app.test'];
    await enter(await finished(), once([look('app.test'), ...places.map((place) => look(place, { findBy }))]));
    const found = await opened.index.latestAt(T, 'app.test');
    expect(found.map(({ place }) => place)).toEqual(['app.test', ...places]);
  });

  it('asks for all scans anew in their order, whether few or many had been entered', async () => {
    const scans = [];
    for (let n = 0; n < 9; n += 1) scans.push(await finished());
    const ids = scans.map(({ scanId }) => scanId);
    for (const entered of [7, 2]) {
      for (const scan of scans.slice(0, entered)) await enter(scan, once([look(`10.0.0.${ids.indexOf(scan.scanId)}`)]));
      expect(await missing()).toEqual(ids.slice(entered));
      await opened.queue.retryDeadLetter(T, ids[0] ?? '');
      await opened.queue.cancel(T, ids[0] ?? '');
      expect(await missing()).toEqual(ids.slice(1));
      ids.shift();
      scans.shift();
    }
  });

  it('is there again after the end of Redis', async () => {
    const scan = await finished();
    await enter(scan, once([look('10.0.0.1', { also: ['a.test'] })]));
    await server.restart();
    expect(await opened.index.latestAt(T, 'a.test')).toMatchObject([{ place: '10.0.0.1', scanId: scan.scanId }]);
  });
});
