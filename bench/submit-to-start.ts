import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openApp, type App } from '../src/app.ts';
import { ALL_SCOPES, LOCAL_TENANT } from '../src/model/caller.ts';
import { newTraceId } from '../src/model/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import type { Ask } from '../src/scans/deps.ts';
import type { Bench } from './bench.ts';
import { clockedType, sharedNow } from './clocked-engine.ts';
import { percentile } from './harness.ts';
import { createInstallation, type Installation } from './installation.ts';
import { CLOCKED_WORKER, FLOOR_WAKER } from './programs.ts';
import { createRawSqlite } from './raw-sqlite.ts';
import type { Line } from './table.ts';

/** Between two units, so that the worker has gone back to waiting. */
const IDLE_MS = 25;

interface Started {
  readonly asked: bigint;
  readonly accepted: bigint;
  readonly started: bigint;
}

/** Submits one scan and waits for its end. */
async function submitOne(app: App, journal: string): Promise<Started> {
  const ask: Ask = {
    caller: { tenant: LOCAL_TENANT, name: 'bench', isOperator: true, scopes: ALL_SCOPES },
    traceId: newTraceId(),
    signal: new AbortController().signal,
  };
  const input = { targets: ['127.0.0.1'], scanner_pool: 'clocked', intensity: 'standard', priority: 5 } as const;
  const asked = sharedNow();
  const { scan_id } = await app.scans.submit(
    { ...input, targets: [...input.targets], max_duration_minutes: 5, wait_seconds: 0 },
    ask,
  );
  const accepted = sharedNow();
  await app.scans.wait({ scan_id, wait_seconds: 30 }, ask);
  const noted = new Map(
    readFileSync(journal, 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .map(([scanId, at]) => [scanId, at]),
  ).get(scan_id);
  if (noted === undefined) throw new Error('the scan did not start');
  return { asked, accepted, started: BigInt(noted) };
}

/** Commits a row here, wakes another process through a pipe, which commits another. */
async function wakeOne(sqlite: ReturnType<typeof createRawSqlite>, waker: ChildProcess): Promise<Started> {
  const asked = sharedNow();
  await sqlite.once();
  waker.send('go');
  const accepted = sharedNow();
  const [at] = await once(waker, 'message');
  return { asked, accepted, started: BigInt(String(at)) };
}

async function openServer({ config, data }: Installation): Promise<App> {
  return openApp({
    configFolder: config,
    dataFolder: data,
    mode: 'stdio',
    log: silentLog,
    env: {},
    spawnWorker: true,
    engines: { clocked: clockedType },
  });
}

async function untilSeated(app: App): Promise<void> {
  const deadline = performance.now() + 20_000;
  while ((await app.seat.holder()) === undefined) {
    if (performance.now() > deadline) throw new Error('no worker took the seat');
    await delay(20);
  }
  await delay(500); // its first probes and sweep
}

const ms = (from: bigint, to: bigint): number => Number(to - from) / 1e6;

function line(what: string, share: 'p50' | 'p99', pairs: readonly [Started, Started][], from: keyof Started): Line {
  const of = (side: 0 | 1): number =>
    percentile(
      pairs.map((pair) => ms(pair[side][from], pair[side].started)),
      share === 'p50' ? 0.5 : 0.99,
    );
  const [floor, ours] = [of(0), of(1)];
  const isTarget = share === 'p99' && from === 'accepted';
  return {
    what,
    measure: share,
    floor,
    ours,
    ratio: ours / floor,
    ...(isTarget ? { target: { of: 'ours', atMost: 25 } } : {}),
  };
}

/** From an accepted submit to the engine's start in an idle worker process; the floor has no queue, only two commits. */
export const submitToStart: Bench = async (size) => {
  const journal = (folder: string): string => join(folder, 'journal');
  const installation = createInstallation();
  const scanners = `clocked: [{ instance_id: only, name: Clocked, max_concurrent_scans: 4, journal: ${JSON.stringify(journal(installation.floor))} }]\n`;
  installation.write('scanners.yaml', scanners);
  const sqlite = createRawSqlite(installation.floor);
  const waker = spawn(process.execPath, [FLOOR_WAKER, installation.floor], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(waker, 'message');
  const worker = spawn(process.execPath, [CLOCKED_WORKER, installation.config, installation.data], {
    stdio: 'inherit',
  });
  const app = await openServer(installation);
  try {
    await untilSeated(app);
    const pairs: [Started, Started][] = [];
    const [warmUp, measured] = size === 'full' ? [50, 500] : [1, 5];
    for (let n = 0; n < warmUp + measured; n += 1) {
      const floor = await wakeOne(sqlite, waker);
      await delay(IDLE_MS);
      const ours = await submitOne(app, journal(installation.floor));
      await delay(IDLE_MS);
      if (n >= warmUp) pairs.push([floor, ours]);
    }
    return [
      line('submit returned to engine start, idle worker process', 'p50', pairs, 'accepted'),
      line('submit returned to engine start, idle worker process', 'p99', pairs, 'accepted'),
      line('submit called to engine start, idle worker process', 'p50', pairs, 'asked'),
      line('submit called to engine start, idle worker process', 'p99', pairs, 'asked'),
    ];
  } finally {
    await app.close();
    for (const child of [waker, worker]) {
      const gone = child.exitCode === null ? once(child, 'exit') : Promise.resolve([]);
      child.kill('SIGTERM');
      await gone;
    }
    sqlite.close();
    installation.remove();
  }
};
