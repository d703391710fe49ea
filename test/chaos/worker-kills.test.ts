import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect, createInstallation, workerPids, type Installation } from '../e2e/stdio-client.ts';
import {
  allEnded,
  isWriteLocked,
  journalOf,
  outsideView,
  pidIn,
  queueOf,
  randomFrom,
  runs,
  show,
  stateCounts,
} from './worker-chaos.ts';

const LIMITS = { a: 3, b: 1, c: 2 };
const POOL = `scripted:
${Object.entries(LIMITS)
  .map(
    ([label, limit]) =>
      `  - { instance_id: ${label}, name: ${label}, max_concurrent_scans: ${limit}, folder: $OUTSIDE, label: ${label} }`,
  )
  .join('\n')}
`;
const SETTINGS = `
storage_reserve_mb: 0
worker: { idle_exit_seconds: 3, lease_seconds: 1 }
retry: { base_seconds: 0.02, max_seconds: 0.05 }
`;

const SCANS = 1_000;
/** After each blow. */
const MORE_SCANS = 2;
/** A blow falls up to this many lines of the journal after a worker began. */
const LINES = 24;
const KILLS = 50;
const STOPS = 12;
/** Of the stops, those that last until another worker has taken over, which takes several looks of a server. */
const LONG_STOPS = 1;

/**
 * A process that stands still in the middle of a write keeps SQLite's lock, and nobody can take anything over until it
 * goes on or is killed: docs/operations.md says so. The stop of this test is for the rest of its life.
 */
async function stopOutsideWrites(installation: Installation, pid: number): Promise<void> {
  for (let tries = 0; tries < 100 && isWriteLocked(installation); tries += 1) {
    process.kill(pid, 'SIGCONT');
    await delay(7);
    process.kill(pid, 'SIGSTOP');
  }
}

describe('the worker process is killed and stopped again and again', () => {
  it('and every scan ends, started once, within the limits of each instance', async () => {
    const seed = Number(process.env['SCANMUX_TEST_SEED'] ?? Date.now() % 1_000_000);
    const random = randomFrom(seed + 1);
    const installation = createInstallation({ 'scanners.yaml': POOL, 'scanmux.yaml': SETTINGS });
    const mcp = await connect(installation);
    const queue = await queueOf(installation);
    const journal = journalOf(installation);
    const startedAt = Date.now();
    let submitted = 0;
    const submit = async (): Promise<void> => {
      submitted += 1;
      const templates = [`duration:${50 + Math.floor(random() * 250)}`];
      const idempotencyKey = `chaos-${submitted}-${seed}`;
      const call = { targets: ['127.0.0.1'], scanner_pool: 'scripted', templates, idempotency_key: idempotencyKey };
      await mcp.ok('run_untrusted_scan', call);
    };
    for (let n = 0; n < SCANS - KILLS - STOPS; n += 1) await submit();
    show('kills begin', { seed, submitted });

    const gone = new Set<number>();
    let seen = 0;
    /** The worker that has begun an attempt after all those that were killed. */
    const working = async (): Promise<number> => {
      const line = await journal.next((entry) => entry.startsWith('attempt ') && !gone.has(pidIn(entry)), seen);
      seen = journal.lines().indexOf(line);
      return pidIn(line);
    };
    let longStops = 0;
    for (let blow = 0; blow < KILLS + STOPS; blow += 1) {
      // Each of these is good for a line at least. A slow machine gives more time to finish scans between two blows.
      while ((await queue.liveCount()) <= LINES) await submit();
      const pid = await working();
      // Anywhere in its work: while it adopts, in the middle of runs, while it reads reports and finishes.
      await journal.next(() => true, seen + Math.floor(random() * LINES));
      await delay(random() * 150);
      if (blow % 5 !== 4) {
        process.kill(pid, 'SIGKILL');
        gone.add(pid);
        await expect.poll(() => runs(pid), { interval: 5 }).toBe(false);
      } else {
        process.kill(pid, 'SIGSTOP');
        // The seat passes on only when its holder stood still for the whole lease under the eyes of a server.
        if (longStops < LONG_STOPS) {
          await stopOutsideWrites(installation, pid);
          longStops += 1;
          gone.add(pid);
          await working();
        } else await delay(random() * 120);
        process.kill(pid, 'SIGCONT');
      }
      // Also tells the server to look for its worker.
      for (let n = 0; n < MORE_SCANS; n += 1) await submit();
    }

    const scans = await allEnded(queue, 120_000);
    const outside = outsideView(installation, LIMITS);
    show('kills', {
      seed,
      seconds: (Date.now() - startedAt) / 1_000,
      scans: scans.length,
      states: stateCounts(scans),
      workers: workerPids(installation.data).length,
      started: outside.started,
      startedTwice: outside.startedTwice.length,
      peak: outside.peak,
      limits: LIMITS,
      mostAttempts: Math.max(...scans.map(({ attempt }) => attempt)),
    });
    expect(stateCounts(scans)).toEqual({ completed: submitted });
    expect(outside.started).toBe(submitted);
    expect(outside.startedTwice).toEqual([]);
    expect(outside.overLimit).toEqual([]);
    expect(outside.peak).toEqual(LIMITS);
  }, 240_000);
});
