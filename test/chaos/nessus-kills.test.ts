import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PresentScanInput } from '../../src/simulators/nessus/scenario.ts';
import { startNessusSimulator } from '../../src/simulators/nessus/simulator.ts';
import { connect, createInstallation } from '../e2e/stdio-client.ts';
import { nessusFiles, once, submitScans, writesOf } from './nessus-lab.ts';
import { allEnded, countBy, keepWorker, queueOf, randomFrom, show, stateCounts } from './worker-chaos.ts';

const SCANS = 500;
const KILLS = 24;
const SLOTS = 64;
/** Where a worker is killed: as soon as the simulator has answered such a request, or a moment later. */
const POINTS = [
  'POST /scans',
  'POST /scans/{id}/launch',
  'GET /scans/{id}',
  'POST /scans/{id}/export',
  'GET /editor/scan/templates',
];
const FOREIGN: PresentScanInput[] = [
  { name: 'payroll', status: 'completed' },
  { name: 'nightly', status: 'running', run: { walk: [{ status: 'running' }] } },
  { name: 'scanmux scan_0123456789abcdefghjk.1', status: 'empty' },
];

describe('workers that are killed while they drive a Nessus', () => {
  it('make and launch every scan exactly once, lose none, and touch no foreign one', async () => {
    const seed = Number(process.env['SCANMUX_TEST_SEED'] ?? Date.now() % 1_000_000);
    const random = randomFrom(seed + 1);
    const sim = await startNessusSimulator({
      http: true,
      scenario: { speed: 20, scans: FOREIGN, runs: [{ report: { findings_per_host: 3 } }] },
    });
    onTestFinished(() => sim.close());
    const installation = createInstallation(nessusFiles(sim, SLOTS));
    const mcp = await connect(installation, { argv: ['--no-worker'] });
    const queue = await queueOf(installation);
    await submitScans(mcp, SCANS, String(seed));
    const startedAt = Date.now();
    const worker = keepWorker(installation);
    const killed = killer({ sim, random, kill: () => worker.pid(), isOver: () => worker.ends() >= KILLS });
    const scans = await allEnded(queue, 280_000);
    await killed.stop();
    const kills = worker.ends();
    await worker.close();

    const writes = writesOf(sim.journal.entries());
    const own = sim.control.scans().filter(({ origin }) => origin === 'api');
    show('nessus kills', {
      seed,
      seconds: (Date.now() - startedAt) / 1_000,
      states: stateCounts(scans),
      errors: countBy(
        scans.flatMap(({ error }) => (error ? [error] : [])),
        ({ code, message }) => `${code}: ${message}`,
      ),
      kills,
      points: killed.points(),
      made: own.length,
      launched: writes.launched,
      mostAttempts: Math.max(...scans.map(({ attempt }) => attempt)),
    });
    expect(stateCounts(scans)).toEqual({ completed: SCANS });
    expect(own).toHaveLength(SCANS);
    expect(new Set(own.map(({ name }) => name.split('.')[0])).size).toBe(SCANS);
    expect(own.filter((scan) => scan.launches.length !== 1)).toEqual([]);
    expect(writes).toEqual(once(SCANS));
    expect(kills).toBeGreaterThan(KILLS / 2);
    expect(scans.every(({ externalScanId }) => externalScanId !== undefined)).toBe(true);
  }, 300_000);
});

interface Killing {
  readonly sim: Awaited<ReturnType<typeof startNessusSimulator>>;
  readonly random: () => number;
  readonly kill: () => number | undefined;
  readonly isOver: () => boolean;
}

/** Waits for a request of a kind drawn by lot, then kills whoever works. */
function killer({ sim, random, kill, isOver }: Killing): { stop: () => Promise<void>; points: () => object } {
  const points: string[] = [];
  let stopped = false;
  const loop = async (): Promise<void> => {
    let seen = 0;
    while (!stopped && !isOver()) {
      const point = POINTS[Math.floor(random() * POINTS.length)] ?? '';
      const pause = random() < 0.5 ? 0 : random() * 40;
      let nth = 1 + Math.floor(random() * 8);
      for (; !stopped && nth > 0; await delay(3)) {
        const entries = sim.journal.entries(seen);
        seen = Math.max(seen, ...entries.map(({ seq }) => seq));
        nth -= entries.filter(({ method, route }) => `${method} ${route}` === point).length;
      }
      await delay(pause);
      const pid = kill();
      if (stopped || pid === undefined) continue;
      process.kill(pid, 'SIGKILL');
      points.push(point);
      await delay(100 + random() * 200);
    }
  };
  const running = loop();
  return {
    points: () => countBy(points, (point) => point),
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}
