import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JournalEntry } from '../../src/simulators/nessus/journal.ts';
import { startNessusSimulator } from '../../src/simulators/nessus/simulator.ts';
import { connect, createInstallation, finished, workerPids } from '../e2e/stdio-client.ts';
import { startChildSimulator } from '../simulators/nessus/child-simulator.ts';
import { isLaunch, nessusFiles, once, submitScans, writesOf } from './nessus-lab.ts';
import { allEnded, countBy, keepWorker, queueOf, runs, show, stateCounts } from './worker-chaos.ts';

const SCANS = 5;
const PROGRAM = 'dist/cli/main.js';
const HOUR_MS = 3_600_000;

describe('scanmux is killed while scans run at a Nessus', () => {
  /** A simulator whose time stands still, and an installation that drives it. */
  async function start() {
    const sim = await startNessusSimulator({ http: true, manualClock: true });
    onTestFinished(() => sim.close());
    const installation = createInstallation(nessusFiles(sim, SCANS));
    const launched = (): Promise<void> =>
      expect.poll(() => sim.journal.entries().filter(isLaunch).length, { timeout: 40_000 }).toBe(SCANS);
    return { sim, installation, launched };
  }

  const ended = async (pid: number): Promise<void> => {
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => runs(pid), { interval: 5 }).toBe(false);
  };

  it('and the worker it started goes on with them alone', async () => {
    const { sim, installation, launched } = await start();
    const mcp = await connect(installation, { program: PROGRAM });
    const queue = await queueOf(installation);
    await submitScans(mcp, SCANS, 'server');
    await launched();
    await ended(mcp.pid);
    sim.control.advance(HOUR_MS);
    const scans = await allEnded(queue, 30_000);
    expect(scans.map(({ state, attempt }) => ({ state, attempt }))).toEqual(
      Array.from({ length: SCANS }, () => ({ state: 'completed', attempt: 1 })),
    );
    expect(writesOf(sim.journal.entries())).toEqual(once(SCANS));
    expect(workerPids(installation.data)).toHaveLength(1);
  }, 60_000);

  it('with its worker, and the worker of the next one adopts them', async () => {
    const { sim, installation, launched } = await start();
    const first = await connect(installation, { program: PROGRAM });
    const ids = await submitScans(first, SCANS, 'both');
    await launched();
    for (const pid of [first.pid, ...workerPids(installation.data)]) await ended(pid);
    const second = await connect(installation, { program: PROGRAM });
    sim.control.advance(HOUR_MS);
    for (const id of ids) expect(await finished(second, id)).toMatchObject({ state: 'completed', attempt: 2 });
    expect(writesOf(sim.journal.entries())).toEqual(once(SCANS));
  }, 60_000);

  it('that ran them in its own process, and the next one adopts them', async () => {
    const { sim, installation, launched } = await start();
    const options = { program: PROGRAM, argv: ['--in-process'] };
    const first = await connect(installation, options);
    const ids = await submitScans(first, SCANS, 'in-process');
    await launched();
    await ended(first.pid);
    expect(workerPids(installation.data)).toEqual([]);
    const second = await connect(installation, options);
    sim.control.advance(HOUR_MS);
    for (const id of ids) expect(await finished(second, id)).toMatchObject({ state: 'completed', attempt: 2 });
    expect(writesOf(sim.journal.entries())).toEqual(once(SCANS));
  }, 60_000);
});

describe('the Nessus is killed and started again while scans run', () => {
  it.each(['goes on', 'is killed too'])(
    'and what the aborted scans found is kept as partial, while the worker %s',
    async (worker) => {
      const folder = mkdtempSync(join(tmpdir(), 'scanmux-nessus-'));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const journalFile = join(folder, 'journal');
      const endless = { walk: [{ status: 'running' }], report: { findings_per_host: 3 } };
      const options = {
        http: true,
        stateFile: join(folder, 'state'),
        journalFile,
        scenario: { runs: [endless], scans: [{ name: 'payroll', status: 'running', run: endless }] },
      };
      const first = await startChildSimulator(options);
      onTestFinished(() => first.kill());
      const entries = (): JournalEntry[] => {
        const lines = existsSync(journalFile) ? readFileSync(journalFile, 'utf8').split('\n').slice(0, -1) : [];
        return lines.map((line) => {
          const entry: JournalEntry = JSON.parse(line);
          return entry;
        });
      };
      const installation = createInstallation(nessusFiles(first, SCANS));
      const mcp = await connect(installation, { argv: ['--no-worker'] });
      const queue = await queueOf(installation);
      const ids = await submitScans(mcp, SCANS, 'restart');
      const keeper = keepWorker(installation);
      const looked = (): number => {
        const looks = entries().filter(({ method, route }) => method === 'GET' && route === '/scans/{id}');
        return Object.keys(countBy(looks, ({ scan_id: id }) => String(id))).length;
      };
      // Launched, and found running by their worker.
      await expect.poll(looked, { timeout: 40_000 }).toBe(SCANS);
      await first.kill();
      if (worker === 'is killed too') process.kill(keeper.pid() ?? 0, 'SIGKILL');
      const second = await startChildSimulator({ ...options, port: first.port });
      onTestFinished(() => second.kill());
      const scans = await allEnded(queue, 60_000);
      await keeper.close();
      show('nessus restart', {
        worker,
        states: stateCounts(scans),
        verdicts: countBy(scans, ({ result }) => String(result?.verdict)),
        errors: scans.flatMap(({ error }) => (error ? [`${error.code}: ${error.message}`] : [])),
      });
      expect(stateCounts(scans)).toEqual({ completed: SCANS });
      expect(scans.map(({ result }) => result?.verdict)).toEqual(ids.map(() => 'partial'));
      expect(scans.every(({ result }) => (result?.findings ?? 0) > 0)).toBe(true);
      expect(writesOf(entries())).toEqual(once(SCANS));
    },
    90_000,
  );
});
