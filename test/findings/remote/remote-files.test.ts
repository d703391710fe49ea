import { existsSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { NO_SUPPRESSIONS } from '../../../src/findings/findings.ts';
import { sweptForTheirQueue } from '../../../src/findings/own-files.ts';
import { createS3Objects } from '../../../src/findings/remote/s3-objects.ts';
import type { ScanRecord } from '../../../src/model/scan.ts';
import { newScanId } from '../../../src/model/ids.ts';
import { lookFacts } from '../../../src/scans/look-facts.ts';
import { startS3Proxy } from '../../s3-proxy.ts';
import { startS3, type S3Server } from '../../s3-server.ts';
import { finishScan, openMachine, rawOf, recordOf, runScan, share, titlesOn, type Machine } from './machines.ts';

const NEVER = new AbortController().signal;
const nothing = () => Promise.resolve(new Map<string, ReadonlySet<number>>());

const filesIn = ({ folder }: Machine): string[] =>
  readdirSync(join(folder, 'cache'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

describe('scan files of several machines', () => {
  let s3: S3Server;
  let prefix: string;
  let rounds = 0;
  beforeAll(async () => {
    s3 = await startS3();
  });
  afterAll(() => s3.close());
  beforeEach(() => {
    rounds += 1;
    prefix = `round-${rounds}`;
  });

  const machine = (
    over: { url?: string; cacheBytes?: number; folder?: string; reserveBytes?: number } = {},
  ): Promise<Machine> => openMachine({ url: s3.url, bucket: s3.bucket, prefix, ...over });
  const objects = () => createS3Objects({ bucket: s3.bucket, prefix, endpoint: s3.url, forcePathStyle: true });
  const keys = async () => (await objects().list('')).objects.map(({ key }) => key);
  const pathInBucket = (key: string): string => join(s3.folder, s3.bucket, prefix, `${key}._S3rver_object`);

  it('are read on a machine that did not write them, findings and raw report', async () => {
    const [worker, server] = [await machine(), await machine()];
    const scan = await finishScan(worker, { raw: 'the raw report' });
    expect(await keys()).toEqual(scan.result?.artefacts.map(({ path }) => `${scan.scanId}/${path}`).toSorted());
    expect(await titlesOn(server, scan)).toEqual(await titlesOn(worker, scan));
    const raw = rawOf(scan);
    const report = server.files.pathOf(scan.scanId, raw);
    const exported = await server.findings.export(
      { kind: 'native', scanId: scan.scanId, report, sha256: raw.sha256 },
      NEVER,
    );
    expect(readFileSync(exported.path, 'utf8')).toBe('the raw report');
    expect(readdirSync(server.folder)).not.toContain('scans');
  });

  it('are all fetched for a question about several of them', async () => {
    const [worker, server] = [await machine(), await machine({ cacheBytes: 0 })];
    const [head, base] = [await finishScan(worker, { count: 4 }), await finishScan(worker)];
    const sideOf = (scan: ScanRecord) => ({
      file: server.files.findingsOf(scan) ?? '',
      scanId: scan.scanId,
      facts: lookFacts(scan),
    });
    const page = await server.findings.compare({
      head: sideOf(head),
      base: sideOf(base),
      query: { filter: {}, max_tokens: 4_000 },
      suppressions: NO_SUPPRESSIONS,
    });
    expect(page.counts).toMatchObject({ persisting: 3 });
    const standing = { file: sideOf(base).file, facts: lookFacts(base), filter: {}, newer: [sideOf(head)] };
    expect(await server.findings.standing(standing)).toMatchObject({ isCut: false });
  });

  it('are not to be seen by others before they are shared, and stay readable where they were written', async () => {
    const worker = await machine();
    const scan = await runScan(worker);
    expect(await keys()).toEqual([]);
    const before = await titlesOn(worker, scan);
    await share(worker, scan);
    await share(worker, scan);
    expect(await titlesOn(worker, scan)).toEqual(before);
    expect(existsSync(worker.files.pathOf(scan.scanId, rawOf(scan)))).toBe(true);
  });

  it('are shared to the end by the call after one that failed', async () => {
    const proxy = await startS3Proxy(s3.port);
    onTestFinished(() => proxy.close());
    const worker = await machine({ url: proxy.url });
    const scan = await runScan(worker);
    proxy.judge = (line) =>
      line.startsWith('PUT') && line.includes('findings-') ? { status: 403, code: 'AccessDenied' } : 'pass';
    await expect(share(worker, scan)).rejects.toMatchObject({ code: 'storage_unusable' });
    expect(await keys()).toHaveLength(1);
    proxy.judge = () => 'pass';
    await share(worker, scan);
    expect(await keys()).toHaveLength(2);
    expect(await titlesOn(await machine(), scan)).toHaveLength(3);
  });

  it('are fetched once, however many readers come at the same time', async () => {
    const scan = await finishScan(await machine());
    const proxy = await startS3Proxy(s3.port);
    onTestFinished(() => proxy.close());
    const server = await machine({ url: proxy.url });
    const answers = await Promise.all(Array.from({ length: 50 }, () => titlesOn(server, scan)));
    expect(new Set(answers.map((titles) => titles.length))).toEqual(new Set([3]));
    expect(proxy.seen.map(({ line }) => line.split(' ')[0])).toEqual(['GET']);
  });

  it('are read by two processes with one cache, however small it is and whoever makes room in it', async () => {
    const worker = await machine();
    const scans: ScanRecord[] = [];
    for (let n = 0; n < 12; n += 1) scans.push(await finishScan(worker, { count: 40 }));
    const size = scans[0]?.result?.artefacts.find(({ kind }) => kind === 'findings')?.bytes ?? 0;
    const first = await machine({ cacheBytes: 3 * size });
    const second = await machine({ cacheBytes: 3 * size, folder: first.folder });
    const readers = Array.from({ length: 80 }, (_, n) => {
      const scan = scans[(n * 7) % scans.length];
      return scan ? titlesOn(n % 2 === 0 ? first : second, scan) : Promise.reject(new Error('none'));
    });
    const answers = await Promise.all(readers);
    expect(answers.every((titles) => titles.length > 0)).toBe(true);
    for (const path of filesIn(first)) utimesSync(path, 1, 1);
    for (const reader of [first, second]) await titlesOn(reader, await finishScan(worker, { count: 40 }));
    expect(first.cached()).toBeLessThanOrEqual(3.5 * size);
  });

  it('of the cache go in the order of last use, and never while somebody reads them', async () => {
    const worker = await machine();
    const scans = [await finishScan(worker), await finishScan(worker), await finishScan(worker)] as const;
    const size = scans[0].result?.artefacts.find(({ kind }) => kind === 'findings')?.bytes ?? 0;
    const server = await machine({ cacheBytes: 2 * size + 100 });
    const paths = scans.map((scan) => server.files.findingsOf(scan) ?? '');
    for (const scan of scans.slice(0, 2)) await titlesOn(server, scan);
    utimesSync(paths[0] ?? '', 1, 1);
    utimesSync(paths[1] ?? '', 2, 2);
    await server.files.whilePresent([paths[0] ?? ''], async () => {
      await titlesOn(server, scans[2]);
      expect(paths.map((path) => existsSync(path))).toEqual([true, false, true]);
    });
    expect(server.cached()).toBeLessThanOrEqual(2 * size + 100);
  });

  it('larger than the whole cache are read all the same, and go afterwards', async () => {
    const scan = await finishScan(await machine());
    const server = await machine({ cacheBytes: 0 });
    expect(await titlesOn(server, scan)).toHaveLength(3);
    expect(server.cached()).toBe(0);
  });

  it.each([
    ['cut short', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 5_000))],
    ['overwritten', (path: string) => writeFileSync(path, 'not this')],
    ['removed', (path: string) => rmSync(path)],
  ])('of the cache that were %s are fetched anew', async (_, harm) => {
    const scan = await finishScan(await machine());
    const server = await machine();
    await titlesOn(server, scan);
    await server.findings.close();
    harm(server.files.findingsOf(scan) ?? '');
    const restarted = await machine({ folder: server.folder });
    expect(await titlesOn(restarted, scan)).toHaveLength(3);
  });

  it.each([
    ['swapped', async (path: string, other: string) => writeFileSync(path, readFileSync(other))],
    ['damaged', async (path: string) => writeFileSync(path, 'not this')],
    ['missing', async (path: string) => rmSync(path)],
  ])('that are %s in the bucket are refused with what to do', async (_, harm) => {
    const worker = await machine();
    const [scan, other] = [await finishScan(worker), await finishScan(worker)];
    const keyOf = ({ scanId, result }: typeof scan) =>
      `${scanId}/${result?.artefacts.find(({ kind }) => kind === 'findings')?.path}`;
    await harm(pathInBucket(keyOf(scan)), pathInBucket(keyOf(other)));
    const server = await machine();
    await expect(titlesOn(server, scan)).rejects.toMatchObject({
      code: 'storage_unusable',
      hint: expect.stringMatching(/restore/),
    });
    expect(server.cached()).toBe(0);
    expect(await titlesOn(server, other)).toHaveLength(3);
  });

  it('of the cache that were changed are not exported: the report is fetched anew', async () => {
    const scan = await finishScan(await machine(), { raw: 'as the engine wrote it' });
    const server = await machine();
    const { scanId } = scan;
    const { sha256 } = rawOf(scan);
    const report = server.files.pathOf(scanId, rawOf(scan));
    await server.files.whilePresent([report], async () => writeFileSync(report, 'as somebody else wrote it'));
    const exported = await server.findings.export({ kind: 'native', scanId, report, sha256 }, NEVER);
    expect(readFileSync(exported.path, 'utf8')).toBe('as the engine wrote it');
  });

  it('cannot be named outside of their folder by a record', async () => {
    const server = await machine();
    const artefact = { kind: 'findings', bytes: 1, sha256: 'a'.repeat(64) } as const;
    const paths = [
      '../../x',
      '1/../../x',
      '/etc/passwd',
      '1/a/b',
      '1\\x',
      '1/..',
      '1/.',
      '',
      '1/',
      'x/y',
      '1/x\0',
      '1/-x',
    ];
    for (const path of paths) {
      expect(() => server.files.findingsOf(recordOf(newScanId(), [{ ...artefact, path }]))).toThrow(/cannot be one of/);
    }
    const fine = { ...artefact, path: '1/findings.db' };
    for (const scanId of ['..', 'a/b', '', 'scan_../x']) {
      expect(() => server.files.pathOf(scanId, fine)).toThrow(/cannot be one of/);
    }
    for (const sha256 of ['../../../x', 'a', '', 'A'.repeat(64)]) {
      expect(() => server.files.pathOf(newScanId(), { ...fine, sha256 })).toThrow(/cannot be one of/);
    }
  });

  it('say in bounded time that the store is away, and are there again when it is back', async () => {
    const scans: ScanRecord[] = [];
    const worker = await machine();
    for (let n = 0; n < 30; n += 1) scans.push(await finishScan(worker));
    const server = await machine();
    await s3.kill('SIGKILL');
    const failed = await Promise.allSettled(scans.map((scan) => titlesOn(server, scan)));
    for (const one of failed) expect(one).toMatchObject({ reason: { code: 'storage_unavailable', retryable: true } });
    const [again = recordOf(newScanId(), [])] = scans;
    await s3.restart();
    await expect.poll(() => titlesOn(server, again).catch(() => [])).toHaveLength(3);
  });

  it('are removed with their scans, everywhere', async () => {
    const worker = await machine();
    const [gone, kept] = [await finishScan(worker), await finishScan(worker)];
    const local = await runScan(worker);
    await titlesOn(worker, gone);
    await worker.files.removeScans([gone.scanId, local.scanId, newScanId(), '../x']);
    expect((await keys()).every((key) => key.startsWith(kept.scanId))).toBe(true);
    expect(readdirSync(join(worker.folder, 'cache', 'artefacts'))).toEqual([kept.scanId]);
    expect(existsSync(join(worker.folder, 'scans', local.scanId))).toBe(false);
  });

  it('of scans that another machine removed lose their copies with the next sweep', async () => {
    const [worker, server] = [await machine(), await machine()];
    const [gone, kept] = [await finishScan(worker), await finishScan(worker)];
    for (const scan of [gone, kept]) await titlesOn(server, scan);
    await worker.files.removeScans([gone.scanId]);
    await server.files.sweep(() => Promise.resolve(new Map([[kept.scanId, new Set([1])]])));
    expect(readdirSync(join(server.folder, 'cache', 'artefacts'))).toEqual([kept.scanId]);
  });

  it('of the cache go before the last of the disk does, and nothing is fetched that has no room', async () => {
    const worker = await machine();
    const [first, second] = [await finishScan(worker), await finishScan(worker)];
    const server = await machine();
    await titlesOn(server, first);
    const full = await machine({ folder: server.folder, reserveBytes: Number.MAX_SAFE_INTEGER / 2 });
    expect(await titlesOn(full, first)).toHaveLength(3);
    const [path = ''] = filesIn(server);
    utimesSync(path, 1, 1);
    await expect(titlesOn(full, second)).rejects.toMatchObject({ code: 'storage_full' });
    expect(full.cached()).toBe(0);
  });

  it('that nothing refers to are swept when they are older than a day, and others never', async () => {
    const worker = await machine();
    const [old, referenced, young] = [await finishScan(worker), await finishScan(worker), await finishScan(worker)];
    const { path } = rawOf(old);
    await objects().put('notes/mine.txt', worker.files.pathOf(old.scanId, rawOf(old)), rawOf(old), NEVER);
    for (const key of await keys()) {
      if (!key.startsWith(young.scanId)) utimesSync(pathInBucket(key), 1, 1);
    }
    const asked: string[] = [];
    const removed = await worker.files.sweep(async (scanIds) => {
      asked.push(...scanIds);
      return new Map([[referenced.scanId, new Set([1])]]);
    });
    expect(asked.toSorted()).toEqual(expect.arrayContaining([old.scanId, referenced.scanId]));
    expect(removed).toBe(1);
    const left = await keys();
    expect(left.some((key) => key === `${old.scanId}/${path}`)).toBe(false);
    expect(left).toHaveLength(5);
    expect(await worker.files.sweep(nothing)).toBe(1);
    expect(await keys()).toHaveLength(3);
  });

  it('are all kept from a queue that has no record of them, on whatever machine it is', async () => {
    const worker = await machine();
    const [kept, left] = [await finishScan(worker), await finishScan(worker)];
    const told: string[] = [];
    const log = { error: (_facts: object, message: string) => void told.push(message) };
    const sweepFor = async (queue: string, known: readonly string[]): Promise<number> => {
      for (const key of await keys()) utimesSync(pathInBucket(key), 1, 1);
      const { files, places } = await machine();
      const records = new Map(known.map((id): [string, ReadonlySet<number>] => [id, new Set([1])]));
      return sweptForTheirQueue(files, places, { queueId: async () => queue, log }).sweep(async () => records);
    };
    expect(await sweepFor('a', [kept.scanId])).toBe(1);
    expect((await keys()).filter((key) => key.startsWith('scan_'))).toHaveLength(2);
    expect((await keys()).some((key) => key.startsWith(left.scanId))).toBe(false);
    expect(await sweepFor('b', [])).toBe(0);
    expect(await keys()).toContain('.queue-a');
    expect((await keys()).filter((key) => key.startsWith(kept.scanId))).toHaveLength(2);
    expect(told).toEqual([expect.stringContaining('another queue')]);
    const { files, places } = await machine();
    const foreign = sweptForTheirQueue(files, places, { queueId: async () => 'b', log }).foreignOwner();
    expect(await foreign).toBe(`s3://${s3.bucket}/${prefix}/.queue-a`);
  });

  it('of an import that was discarded are gone, also when they had been shared', async () => {
    const server = await machine();
    const scanId = newScanId();
    const claim = await server.files.claim(scanId, 1);
    const scan = await finishScan(server, { scanId });
    expect(await titlesOn(server, scan)).toHaveLength(3);
    await claim.discard();
    expect(await keys()).toEqual([]);
    expect(server.cached()).toBe(0);
  });

  it('from before there was a bucket are read where they are', async () => {
    const server = await machine();
    const scan = await runScan(server);
    expect(await titlesOn(server, scan)).toHaveLength(3);
    expect(server.files.findingsOf(scan)).toContain(join(server.folder, 'scans'));
  });
});
