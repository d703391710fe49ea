import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect, createInstallation, finished, type Connection, type Installation } from '../e2e/stdio-client.ts';
import {
  allEnded,
  countBy,
  everyScan,
  journalOf,
  keepWorker,
  outsideView,
  queueOf,
  show,
  stateCounts,
  TENANT,
} from './worker-chaos.ts';

const LIMITS = { a: 3, b: 1, c: 2 };
type Limits = Readonly<Record<string, number>>;

const pool = (limits: Limits): string =>
  [
    'scripted:',
    ...Object.entries(limits).map(
      ([label, limit]) =>
        `  - { instance_id: ${label}, name: ${label}, max_concurrent_scans: ${limit}, folder: $OUTSIDE, label: ${label} }`,
    ),
    '',
  ].join('\n');

const install = (limits: Limits = LIMITS): Installation => createInstallation({ 'scanners.yaml': pool(limits) });

let calls = 0;
const submit = (mcp: Connection, durationMs: number, more: Record<string, unknown> = {}) => {
  calls += 1;
  return mcp.ok('run_untrusted_scan', {
    targets: ['127.0.0.1'],
    scanner_pool: 'scripted',
    templates: [`duration:${durationMs}`],
    idempotency_key: `load-test-${calls}`,
    ...more,
  });
};

describe('a pool of three instances under load', () => {
  it('never runs more scans on an instance than its limit, and uses every slot', async () => {
    const installation = install();
    const mcp = await connect(installation);
    const queue = await queueOf(installation);
    const [scans, durationMs] = [60, 600];
    for (let n = 0; n < scans; n += 1) await submit(mcp, durationMs);
    const ended = await allEnded(queue, 60_000);
    const first = Math.min(...ended.map(({ startedAt = 0 }) => startedAt));
    const tookMs = Math.max(...ended.map(({ finishedAt = 0 }) => finishedAt)) - first;
    const { overLimit, peak, startedTwice } = outsideView(installation, LIMITS);
    show('slots', { scans, tookMs, drainRateOfIdeal: (scans / 6) * (durationMs / tookMs), peak, limits: LIMITS });
    expect(stateCounts(ended)).toEqual({ completed: scans });
    expect({ overLimit, startedTwice, peak }).toEqual({ overLimit: [], startedTwice: [], peak: LIMITS });
  }, 90_000);

  it('goes round them in turn while all have free slots, also over the death of the worker', async () => {
    const installation = install();
    const mcp = await connect(installation, { argv: ['--no-worker'] });
    const worker = keepWorker(installation);
    const rounds = 8;
    for (let n = 0; n < rounds * 3; n += 1) {
      const { scan_id: scanId } = await submit(mcp, 1);
      await finished(mcp, scanId);
      if (n % 5 === 4) process.kill(worker.pid() ?? 0, 'SIGKILL');
    }
    await worker.close();
    const { labels } = outsideView(installation, LIMITS);
    show('rotation', { starts: labels.length, byInstance: countBy(labels, (label) => label), kills: worker.ends() });
    const windows = Array.from({ length: rounds }, (_, round) => labels.slice(round * 3, round * 3 + 3).toSorted());
    expect(windows).toEqual(Array.from({ length: rounds }, () => ['a', 'b', 'c']));
  }, 60_000);
});

describe('scanners.yaml changes while 100 scans run', () => {
  it('and nothing is lost: limits change, instances go and come, a broken file changes nothing and is told of', async () => {
    const installation = install();
    const mcp = await connect(installation);
    const queue = await queueOf(installation);
    const journal = journalOf(installation);
    const file = join(installation.config, 'scanners.yaml');
    const write = (text: string): void => {
      writeFileSync(`${file}.new`, text.replaceAll('$OUTSIDE', JSON.stringify(installation.outside)));
      renameSync(`${file}.new`, file);
    };
    const config = async () => {
      const { config: shown, pools } = await mcp.ok('list_scanners');
      return JSON.stringify({ shown, pools });
    };
    for (let n = 0; n < 100; n += 1) await submit(mcp, 150);
    const workerPid = Number((await journal.next((line) => line.startsWith('start '))).split(' ').at(-1));

    write(pool({ a: 1, b: 1 }));
    process.kill(workerPid, 'SIGHUP');
    await expect.poll(config).not.toMatch(/"instance_id":"c"/);
    await journal.next((line) => line.startsWith('end '), journal.lines().length);
    write('scripted: [ { instance_id: a, max_concurrent_scans: many } ]');
    await expect.poll(config).toMatch(/"last_error":".*max_concurrent_scans/);
    expect(await config()).toMatch(/"instance_id":"b"/);
    await journal.next((line) => line.startsWith('end '), journal.lines().length);
    write(pool(LIMITS));
    process.kill(workerPid, 'SIGHUP');
    await expect.poll(config).toMatch(/"instance_id":"c"/);
    expect(await config()).not.toMatch(/last_error/);
    await journal.next((line) => line.startsWith('start ') && line.includes(' c '), journal.lines().length);

    const ended = await allEnded(queue, 60_000);
    const { startedTwice, overLimit, peak } = outsideView(installation, LIMITS);
    show('reloads', { states: stateCounts(ended), startedTwice: startedTwice.length, peak });
    expect(stateCounts(ended)).toEqual({ completed: 100 });
    expect(ended.filter(({ attempt }) => attempt !== 1)).toEqual([]);
    expect({ startedTwice, overLimit }).toEqual({ startedTwice: [], overLimit: [] });
  }, 90_000);

  it('and a running scan ends on the instance it began on, though that was removed meanwhile', async () => {
    const installation = install({ a: 1, b: 1 });
    const mcp = await connect(installation);
    const journal = journalOf(installation);
    const { scan_id: scanId } = await submit(mcp, 3_000, { scanner_instance: 'b' });
    await journal.next((line) => line.startsWith('start '));
    const file = join(installation.config, 'scanners.yaml');
    writeFileSync(file, pool({ a: 1 }).replaceAll('$OUTSIDE', JSON.stringify(installation.outside)));
    await expect.poll(async () => JSON.stringify(await mcp.ok('list_scanners'))).not.toMatch(/"instance_id":"b"/);
    expect(await finished(mcp, scanId)).toMatchObject({ state: 'completed', attempt: 1, scanner_instance: 'b' });
  });
});

describe('two servers on one data folder', () => {
  it('make one scan per key out of 10,000 submits with 500 shared keys, and no lock surfaces', async () => {
    const installation = install();
    const [submits, keys, atOnce] = [5_000, 500, 25];
    const startedAt = Date.now();
    const serve = async (): Promise<ReadonlyMap<string, string>> => {
      const mcp = await connect(installation, { argv: ['--no-worker'] });
      const scanOfKey = new Map<string, string>();
      let next = 0;
      const line = async (): Promise<void> => {
        while (next < submits) {
          const key = (next * 7) % keys;
          next += 1;
          const call = { targets: ['127.0.0.1'], scanner_pool: 'scripted', templates: [`duration:${key}`] };
          const { scan_id: id } = await mcp.ok('run_untrusted_scan', { ...call, idempotency_key: `shared-key-${key}` });
          expect(scanOfKey.get(`${key}`) ?? id).toBe(id);
          scanOfKey.set(`${key}`, String(id));
        }
      };
      await Promise.all(Array.from({ length: atOnce }, line));
      return scanOfKey;
    };
    const [one, two] = await Promise.all([serve(), serve()]);
    show('two servers', { submits: submits * 2, keys, seconds: (Date.now() - startedAt) / 1_000 });
    expect(one.size).toBe(keys);
    expect(Object.fromEntries(one)).toEqual(Object.fromEntries(two));
    expect(await everyScan(await queueOf(installation))).toHaveLength(keys);
  }, 90_000);
});

describe('cancelling running scans from another process', () => {
  it('reaches every one of 50', async () => {
    const installation = install({ a: 10 });
    const [server, other] = [await connect(installation), await connect(installation)];
    const queue = await queueOf(installation);
    const journal = journalOf(installation);
    const started: string[] = [];
    for (let n = 0; n < 50; n += 1) started.push(String((await submit(server, 60_000))['scan_id']));
    const tookMs: number[] = [];
    const cancel = async (scanId: string): Promise<void> => {
      await journal.next((line) => line.startsWith(`start ${scanId}.`));
      const askedAt = Date.now();
      await other.ok('cancel_scan', { scan_id: scanId });
      expect(await finished(other, scanId)).toMatchObject({ state: 'cancelled' });
      tookMs.push(((await queue.get(TENANT, scanId))?.finishedAt ?? 0) - askedAt);
    };
    for (let n = 0; n < started.length; n += 5) await Promise.all(started.slice(n, n + 5).map(cancel));
    const sorted = tookMs.toSorted((a, b) => a - b);
    show('cancels', { scans: sorted.length, p50Ms: sorted[25], p95Ms: sorted[47], maxMs: sorted.at(-1) });
    expect(stateCounts(await everyScan(queue))).toEqual({ cancelled: 50 });
    expect(readFileSync(join(installation.outside, 'journal'), 'utf8').match(/^stop /gm)).toHaveLength(50);
  }, 90_000);
});
