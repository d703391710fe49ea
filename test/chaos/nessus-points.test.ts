import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FaultInput } from '../../src/simulators/nessus/fault.ts';
import { startNessusSimulator, type NessusSimulator } from '../../src/simulators/nessus/simulator.ts';
import { connect, createInstallation } from '../e2e/stdio-client.ts';
import { allEnded, countBy, keepWorker, queueOf, show, stateCounts, type Keeper } from './worker-chaos.ts';
import { nessusFiles, once, submitScans, writesOf } from './nessus-lab.ts';

const SCANS = 8;
/** So that one kill meets few of the points. */
const SLOTS = 3;
/** More than the workers a scan may use up. */
const KILLS = 14;
const TIMES = 3;
/** Requests that hang before and after they take effect: while they do, the worker is killed. */
const POINTS: FaultInput[] = [
  // The intent is noted, and nothing was made.
  { on: 'GET /editor/scan/templates', nth: 1, times: TIMES, do: 'hang' },
  { on: 'POST /scans', nth: 1, times: TIMES, do: 'hang' },
  // Made, and only the intent is noted.
  { on: 'POST /scans', nth: 1 + TIMES, times: TIMES, do: 'hang_after_success' },
  // Made and noted, but not launched.
  { on: 'POST /scans/{id}/launch', nth: 1, times: TIMES, do: 'hang' },
  // Launched, and that is not noted.
  { on: 'POST /scans/{id}/launch', nth: 1 + TIMES, times: TIMES, do: 'hang_after_success' },
  // Launched and noted; then while it is followed and fetched.
  { on: 'GET /scans/{id}', nth: 4, times: TIMES, do: 'hang' },
  { on: 'POST /scans/{id}/export', nth: 1, times: TIMES, do: 'hang_after_success' },
  { on: 'download', nth: 1, times: TIMES, do: 'hang' },
];

/** Kills the worker whenever a request of it hangs. */
function killer(sim: NessusSimulator, worker: Keeper): { stop: () => Promise<void> } {
  let stopped = false;
  const loop = async (): Promise<void> => {
    for (let quiet = 0; !stopped; await delay(10)) {
      quiet = sim.control.inFlight() > 0 ? quiet + 1 : 0;
      const pid = worker.pid();
      if (quiet < 10 || pid === undefined) continue;
      process.kill(pid, 'SIGKILL');
      quiet = 0;
    }
  };
  const running = loop();
  return {
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}

describe('workers that are killed at each point of the life of a Nessus scan', () => {
  it('leave scans that the next one goes on with, made and launched once', async () => {
    const sim = await startNessusSimulator({ http: true, scenario: { speed: 10, faults: POINTS } });
    onTestFinished(() => sim.close());
    const installation = createInstallation(nessusFiles(sim, SLOTS));
    const mcp = await connect(installation, { argv: ['--no-worker'] });
    const queue = await queueOf(installation);
    await submitScans(mcp, SCANS, 'points');
    const worker = keepWorker(installation);
    const killing = killer(sim, worker);
    const scans = await allEnded(queue, 80_000);
    await killing.stop();
    const kills = worker.ends();
    await worker.close();
    const entries = sim.journal.entries();
    const met = entries.filter(({ fault }) => fault !== null);
    show('nessus points', {
      states: stateCounts(scans),
      kills,
      met: countBy(met, ({ method, route, fault }) => `${method} ${route} ${fault}`),
    });
    expect(met).toHaveLength(POINTS.length * TIMES);
    expect(kills).toBeGreaterThanOrEqual(POINTS.length);
    expect(stateCounts(scans)).toEqual({ completed: SCANS });
    expect(writesOf(entries)).toEqual(once(SCANS));
  }, 90_000);
});

describe('workers that are killed again and again while scans run', () => {
  it('do not use the scans up, however often that happens', async () => {
    const sim = await startNessusSimulator({ http: true, manualClock: true });
    onTestFinished(() => sim.close());
    const installation = createInstallation(nessusFiles(sim, SCANS));
    const mcp = await connect(installation, { argv: ['--no-worker'] });
    const queue = await queueOf(installation);
    await submitScans(mcp, SCANS, 'again');
    const worker = keepWorker(installation);
    await expect.poll(() => writesOf(sim.journal.entries()).launched, { timeout: 40_000 }).toBe(SCANS);
    for (let kills = 0; kills < KILLS; kills += 1) {
      process.kill(worker.pid() ?? 0, 'SIGKILL');
      await expect.poll(() => worker.ends(), { interval: 5 }).toBe(kills + 1);
      const before = sim.journal.entries().at(-1)?.seq;
      const looks = (): number =>
        sim.journal.entries(before).filter(({ route, method }) => `${method} ${route}` === 'GET /scans/{id}').length;
      await expect.poll(looks, { interval: 5, timeout: 40_000 }).toBeGreaterThan(0);
    }
    sim.control.advance(3_600_000);
    const scans = await allEnded(queue, 30_000);
    await worker.close();
    show('nessus kills of running scans', {
      states: stateCounts(scans),
      attempts: scans.map(({ attempt }) => attempt),
    });
    expect(Math.min(...scans.map(({ attempt }) => attempt))).toBeGreaterThan(KILLS - 2);
    expect(stateCounts(scans)).toEqual({ completed: SCANS });
    expect(writesOf(sim.journal.entries())).toEqual(once(SCANS));
  }, 90_000);
});
