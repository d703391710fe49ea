import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect, createInstallation, finished, workerPids } from '../e2e/stdio-client.ts';
import {
  everyScan,
  journalOf,
  outsideView,
  pidIn,
  queueOf,
  randomFrom,
  runs,
  show,
  stateCounts,
} from './worker-chaos.ts';

const scripted = (templates: readonly string[]) => ({ targets: ['127.0.0.1'], scanner_pool: 'scripted', templates });

/** An installation whose workers go `seconds` after their last scan. */
const leavingAfter = (seconds: number) =>
  createInstallation({ 'scanmux.yaml': `storage_reserve_mb: 0\nworker: { idle_exit_seconds: ${seconds} }\n` });

describe('a server without a worker', () => {
  it('finishes what a killed worker of an earlier server left, though nobody submits anything', async () => {
    const installation = createInstallation();
    const first = await connect(installation);
    const { scan_id: scanId } = await first.ok('run_untrusted_scan', scripted(['duration:1000']));
    const line = await journalOf(installation).next((entry) => entry.startsWith('start '));
    process.kill(first.pid, 'SIGKILL');
    process.kill(pidIn(line), 'SIGKILL');
    const second = await connect(installation);
    expect(await finished(second, scanId)).toMatchObject({ state: 'completed' });
    expect(outsideView(installation, { only: 4 }).startedTwice).toEqual([]);
  });

  it('starts a new one for a submit after the last has gone idle', async () => {
    const installation = leavingAfter(0.2);
    const mcp = await connect(installation);
    await finished(mcp, (await mcp.ok('run_untrusted_scan', scripted(['duration:10'])))['scan_id']);
    const [pid = 0] = workerPids(installation.data);
    await expect.poll(() => runs(pid), { timeout: 40_000, interval: 20 }).toBe(false);
    await finished(mcp, (await mcp.ok('run_untrusted_scan', scripted(['duration:10'])))['scan_id']);
    expect(workerPids(installation.data)).toHaveLength(2);
  });

  it('loses no scan that is submitted just while the worker leaves', async () => {
    const installation = leavingAfter(0.1);
    const mcp = await connect(installation);
    const queue = await queueOf(installation);
    const random = randomFrom(7);
    const rounds = 30;
    const waits: number[] = [];
    for (let n = 0; n < rounds; n += 1) {
      const { scan_id: scanId } = await mcp.ok('run_untrusted_scan', scripted(['duration:1', `round:${n}`]));
      const submittedAt = Date.now();
      expect(await finished(mcp, scanId)).toMatchObject({ state: 'completed', attempt: 1 });
      waits.push(Date.now() - submittedAt);
      // The worker looks every second whether it may go: the next submit comes around one of those moments.
      await delay(900 + random() * 250);
    }
    const sorted = waits.toSorted((a, b) => a - b);
    show('submits while the worker leaves', {
      rounds,
      workers: workerPids(installation.data).length,
      p50Ms: sorted[15],
      maxMs: sorted.at(-1),
    });
    expect(stateCounts(await everyScan(queue))).toEqual({ completed: rounds });
    expect(workerPids(installation.data).length).toBeGreaterThan(1);
  }, 120_000);
});

describe('a worker that is asked to go', () => {
  it('leaves its scan to the next one, which adopts it: one start, one attempt', async () => {
    const installation = createInstallation({
      'scanmux.yaml': 'storage_reserve_mb: 0\nworker: { idle_exit_seconds: 3, shutdown_grace_seconds: 0.1 }\n',
    });
    const mcp = await connect(installation);
    const { scan_id: scanId } = await mcp.ok('run_untrusted_scan', scripted(['duration:3000']));
    const line = await journalOf(installation).next((entry) => entry.startsWith('start '));
    process.kill(pidIn(line), 'SIGTERM');
    await expect.poll(() => runs(pidIn(line)), { timeout: 40_000, interval: 20 }).toBe(false);
    expect(await finished(mcp, scanId)).toMatchObject({ state: 'completed', attempt: 1 });
    expect(outsideView(installation, { only: 4 })).toMatchObject({ started: 1, startedTwice: [] });
    expect(workerPids(installation.data)).toHaveLength(2);
  });
});

describe('a worker that is killed while nmap runs', () => {
  /** Not the ones that only say which nmap it is. */
  const scansOf = (parent: number): number[] =>
    spawnSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n')
      .map((row) => row.trim().split(/\s+/))
      .flatMap(([pid, of, ...args]) => (Number(of) === parent && args.includes('-oX') ? [Number(pid)] : []));

  /** A scan whose worker has just been killed, and the nmap that goes on without it. */
  async function orphaned() {
    const installation = createInstallation({ 'scanners.yaml': 'nmap:\n  - { instance_id: local, name: nmap }\n' });
    const mcp = await connect(installation);
    const { scan_id: id } = await mcp.ok('run_untrusted_scan', {
      targets: ['127.0.0.1-127.0.0.5'],
      scanner_pool: 'nmap',
      intensity: 'light',
      ports: '1-65535',
    });
    const scanId = String(id);
    await expect
      .poll(async () => (await mcp.ok('get_scan_status', { scan_id: scanId }))['state'], { timeout: 40_000 })
      .toBe('running');
    const [worker = 0] = workerPids(installation.data);
    await expect.poll(() => scansOf(worker).length, { timeout: 40_000, interval: 20 }).toBeGreaterThan(0);
    const orphans = scansOf(worker);
    // One that hangs: left to itself it may end of its own, because nobody reads what it writes any more.
    for (const pid of orphans) process.kill(pid, 'SIGSTOP');
    process.kill(worker, 'SIGKILL');
    await expect.poll(() => runs(worker), { interval: 5 }).toBe(false);
    return { mcp, scanId, orphans, alive: orphans.filter(runs) };
  }

  it('leaves an orphan that the next one ends before it scans again', async () => {
    const { mcp, scanId, orphans, alive } = await orphaned();
    await expect.poll(() => orphans.filter(runs), { timeout: 40_000, interval: 20 }).toEqual([]);
    const status = await finished(mcp, scanId);
    show('orphan', { orphans: alive.length, attempt: status['attempt'], verdict: status['verdict'] });
    expect(alive.length).toBeGreaterThan(0);
    expect(status).toMatchObject({ state: 'completed', verdict: 'complete', attempt: 2 });
  }, 90_000);

  it('leaves an orphan that a cancel ends', async () => {
    const { mcp, scanId, orphans, alive } = await orphaned();
    await mcp.ok('cancel_scan', { scan_id: scanId });
    expect(await finished(mcp, scanId)).toMatchObject({ state: 'cancelled' });
    expect(alive.length).toBeGreaterThan(0);
    expect(orphans.filter(runs)).toEqual([]);
  }, 90_000);
});
