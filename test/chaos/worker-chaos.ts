import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { identityOf } from '../../src/platform/process-identity.ts';
import { openDatabase } from '../../src/platform/sqlite.ts';
import type { ScanQueue } from '../../src/queue/queue.ts';
import { createSqliteQueue } from '../../src/queue/sqlite/queue.ts';
import type { ScanRecord } from '../../src/model/scan.ts';
import type { Installation } from '../e2e/stdio-client.ts';

export const TENANT = 'local';

/** Park and Miller: the same steps in every run with the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Figures of a run, for people who read the output of the tests. */
export const show = (title: string, figures: object): void => console.log(`${title}: ${JSON.stringify(figures)}`);

/** A text file that other processes append to. */
export interface Followed {
  lines(): string[];
  /** Resolves with the first line from number `from` on that fits, once it is there. */
  next(fits: (line: string) => boolean, from?: number, timeoutMs?: number): Promise<string>;
}

/** A notice can be lost, so the file is also looked at now and then. */
const SLOW_LOOK_MS = 100;

export function follow(folder: string, name: string): Followed {
  const path = join(folder, name);
  const lines = (): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []);
  return {
    lines,
    next: (fits, from = 0, timeoutMs = 30_000) =>
      new Promise((resolve, reject) => {
        const found = (): string | undefined => lines().slice(from).find(fits);
        const look = (): void => {
          const line = found();
          if (line === undefined) return;
          stop();
          resolve(line);
        };
        const watcher = existsSync(folder) ? watch(folder, look) : undefined;
        const slow = setInterval(look, SLOW_LOOK_MS);
        const late = setTimeout(() => {
          stop();
          reject(new Error(`no such line in ${name} within ${timeoutMs} ms`));
        }, timeoutMs);
        const stop = (): void => {
          watcher?.close();
          clearInterval(slow);
          clearTimeout(late);
        };
        look();
      }),
  };
}

/** The outside scanner's book. */
export const journalOf = ({ outside }: Installation): Followed => follow(outside, 'journal');

/** The process that wrote an `attempt` or `start` line. */
export const pidIn = (line: string): number => Number(line.split(' ').at(-1));

/** A handle on the queue of an installation, as another process has it. */
export async function queueOf({ data }: Installation): Promise<ScanQueue> {
  const settings = { idempotencyHours: 48, queuedExpiryHours: 168, reserveBytes: 0 };
  const queue = await createSqliteQueue({ folder: data, clock: systemClock, settings });
  onTestFinished(() => queue.close());
  return queue;
}

const FINAL = new Set(['completed', 'failed', 'timed_out', 'cancelled']);

/** Whether some process is in the middle of a write to the queue (or stands still in one). */
export function isWriteLocked({ data }: Installation): boolean {
  const db = openDatabase(join(data, 'queue.db'));
  try {
    db.writeNow(() => undefined);
    return false;
  } catch (error) {
    if (error instanceof AppError && error.code === 'queue_unavailable') return true;
    throw error;
  } finally {
    db.close();
  }
}

/** Every scan, once all of them have ended or the time is over. */
export async function allEnded(queue: ScanQueue, timeoutMs: number): Promise<readonly ScanRecord[]> {
  const over = AbortSignal.timeout(timeoutMs);
  const scans = await everyScan(queue);
  for (const { scanId } of scans) {
    for (let seq = 0; !over.aborted;) {
      const last = (await queue.events(TENANT, scanId, seq)).at(-1);
      if (last && FINAL.has(last.state)) break;
      seq = last?.seq ?? seq;
      await queue.waitForEvent(TENANT, scanId, seq, over);
    }
  }
  return await everyScan(queue);
}

export async function everyScan(queue: ScanQueue): Promise<ScanRecord[]> {
  const scans: ScanRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await queue.list(TENANT, { limit: 100, ...(cursor === undefined ? {} : { cursor }) });
    scans.push(...page.scans);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return scans;
}

/** How many scans are in each state. */
export const stateCounts = (scans: readonly ScanRecord[]): Record<string, number> =>
  countBy(scans, ({ state }) => state);

export function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
  return counts;
}

/** What the outside scanner saw: scans started more than once, and starts over the limit of their instance. */
export function outsideView(installation: Installation, limits: Readonly<Record<string, number>>) {
  const starts = installation
    .journal()
    .filter((line) => line.startsWith('start '))
    .map((line) => line.split(' '));
  const perScan = countBy(starts, ([, marker = '']) => marker.split('.')[0] ?? '');
  const folder = join(installation.outside, 'scans');
  const kept = countBy(existsSync(folder) ? readdirSync(folder) : [], (marker) => marker.split('.')[0] ?? '');
  return {
    /** By its own files: the line of a start may be missing where a worker was killed between the two. */
    started: Object.values(kept).reduce((sum, count) => sum + count, 0),
    starts: starts.length,
    /** With all that the journal says of them, or a rare failure could not be told from its message. */
    startedTwice: [perScan, kept]
      .flatMap((counts) => Object.keys(counts).filter((scan) => (counts[scan] ?? 0) > 1))
      .map((scan) => installation.journal().filter((line) => line.includes(scan))),
    overLimit: starts
      .filter(([, , label = '', active]) => Number(active) > (limits[label] ?? 0))
      .map((words) => words.join(' ')),
    labels: starts.map(([, , label = '']) => label),
    peak: Object.fromEntries(
      Object.keys(limits).map((label) => [
        label,
        Math.max(0, ...starts.filter(([, , of]) => of === label).map(([, , , active]) => Number(active))),
      ]),
    ),
  };
}

export interface Keeper {
  /** Workers that ended so far. */
  ends(): number;
  pid(): number | undefined;
  /** Ends the worker; no other follows. */
  close(): Promise<void>;
}

/**
 * Keeps one worker process for an installation: the next starts when the last has ended, until `isOver`.
 * @param env Besides PATH, e.g. REDIS_URL.
 */
export function keepWorker(
  { config, data }: Installation,
  isOver: () => boolean = () => false,
  env: Readonly<Record<string, string>> = {},
): Keeper {
  let closed = false;
  let ends = 0;
  let child = start();
  function start() {
    const argv = ['test/programs/worker.mjs', '--config', config, '--data', data];
    const made = spawn(process.execPath, argv, {
      stdio: ['ignore', 'ignore', process.env['SCANMUX_TEST_STDERR'] ? 'inherit' : 'ignore'],
      env: { PATH: process.env['PATH'] ?? '', ...env },
    });
    made.once('exit', () => {
      ends += 1;
      if (!closed && !isOver()) child = start();
    });
    return made;
  }
  const close = async (): Promise<void> => {
    closed = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  onTestFinished(close);
  return { ends: () => ends, pid: () => child.pid, close };
}

/** Whether a process still runs: a stopped one does, one that only waits to be reaped does not. */
export const runs = (pid: number): boolean => identityOf(pid) !== undefined;
