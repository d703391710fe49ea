import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect } from '../e2e/stdio-client.ts';
import { createRedisInstallation, type RedisInstallation } from './redis-installation.ts';
import { allEnded, journalOf, outsideView, pidIn, randomFrom, show, stateCounts, type Keeper } from './worker-chaos.ts';

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
redis: { lease_seconds: 5 }
retry: { base_seconds: 0.02, max_seconds: 0.05 }
`;

const WORKERS = 3;
const SCANS = 1_000;
const KILLS = 50;
const STOPS = 12;
/** Of the stops, those that outlast the lease: another worker takes over what the frozen one runs. */
const LONG_STOPS = 2;
const LONG_STOP_MS = 8_000;
/** A blow falls up to this many lines of the journal, of which each scan makes three, after the one before. */
const LINES = 60;

/** Submits all scans, a few at a time, and asks again for what Redis did not answer. */
async function submitAll(installation: RedisInstallation, random: () => number): Promise<{ refused: number }> {
  const { env } = installation;
  const mcp = await connect(installation, { argv: ['--no-worker'], env });
  let [next, refused] = [0, 0];
  const lane = async (): Promise<void> => {
    while (next < SCANS) {
      next += 1;
      const templates = [`duration:${20 + Math.floor(random() * 100)}`];
      const call = {
        targets: ['127.0.0.1'],
        scanner_pool: 'scripted',
        templates,
        idempotency_key: `chaos-${next}-key`,
      };
      for (;;) {
        const { isError, content } = await mcp.client.callTool({ name: 'run_untrusted_scan', arguments: call });
        if (!isError) break;
        expect(JSON.stringify(content)).toContain('queue_unavailable');
        refused += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  return { refused };
}

/** Kills and stops workers that are at work, anywhere in it. */
async function strike(
  installation: RedisInstallation,
  workers: readonly Keeper[],
  random: () => number,
): Promise<void> {
  const journal = journalOf(installation);
  const long: Promise<void>[] = [];
  /** Killed, or standing still. */
  const away = new Set<number>();
  let seen = 0;
  for (let blow = 0; blow < KILLS + STOPS; blow += 1) {
    seen += 1 + Math.floor(random() * LINES);
    await journal.next(() => true, seen, 120_000);
    const pids = (): number[] => workers.flatMap((worker) => worker.pid() ?? []).filter((pid) => !away.has(pid));
    const line = await journal.next(
      (entry) => entry.startsWith('attempt ') && pids().includes(pidIn(entry)),
      seen,
      120_000,
    );
    const pid = pidIn(line);
    await delay(random() * 40);
    away.add(pid);
    if (blow % 5 !== 4) process.kill(pid, 'SIGKILL');
    else {
      process.kill(pid, 'SIGSTOP');
      const isLong = long.length < LONG_STOPS;
      const goesOn = delay(isLong ? LONG_STOP_MS : random() * 120).then(() => {
        process.kill(pid, 'SIGCONT');
        away.delete(pid);
      });
      if (isLong) long.push(goesOn);
      else await goesOn;
    }
  }
  await Promise.all(long);
}

/** Kills Redis whenever another fifth of the scans was started. */
async function strikeRedis(installation: RedisInstallation, restarts: number): Promise<void> {
  const { server } = installation;
  const journal = journalOf(installation);
  for (let n = 1; n <= restarts; n += 1) {
    await journal.next(() => true, Math.floor((n * 2 * SCANS) / (restarts + 1)), 300_000);
    await server.restart();
  }
}

describe('worker processes of a queue in Redis are killed and stopped again and again', () => {
  it.each([{ restarts: 0 }, { restarts: 5 }])(
    'and Redis itself $restarts times, and every scan ends, started once, within the limits of each instance',
    async ({ restarts }) => {
      const seed = Number(process.env['SCANMUX_TEST_SEED'] ?? Date.now() % 1_000_000);
      const random = randomFrom(seed + 1);
      const installation = await createRedisInstallation({ 'scanners.yaml': POOL, 'scanmux.yaml': SETTINGS });
      const { queue } = installation;
      const startedAt = Date.now();
      const workers = installation.keepWorkers(WORKERS);
      const [{ refused }] = await Promise.all([
        submitAll(installation, random),
        strike(installation, workers, random),
        strikeRedis(installation, restarts),
      ]);
      const scans = await allEnded(queue, 400_000);
      const outside = outsideView(installation, LIMITS);
      show('kills on Redis', {
        seed,
        seconds: (Date.now() - startedAt) / 1_000,
        restartsOfRedis: restarts,
        refusedSubmits: refused,
        workers: workers.reduce((sum, worker) => sum + worker.ends(), WORKERS),
        scans: scans.length,
        states: stateCounts(scans),
        started: outside.started,
        startedTwice: outside.startedTwice.length,
        adopted: scans.filter(({ epoch }) => epoch > 1).length,
        peak: outside.peak,
        limits: LIMITS,
      });
      expect(stateCounts(scans)).toEqual({ completed: SCANS });
      expect(outside.started).toBe(SCANS);
      expect(outside.startedTwice).toEqual([]);
      expect(outside.overLimit).toEqual([]);
      expect(outside.peak).toEqual(LIMITS);
      expect(workers.reduce((sum, worker) => sum + worker.ends(), 0)).toBeGreaterThanOrEqual(KILLS);
    },
    600_000,
  );
});
