import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../src/platform/clock.ts';
import type { Claim } from '../src/queue/queue.ts';
import { openSqliteQueue } from '../src/queue/sqlite/queue.ts';
import type { Bench, Size } from './bench.ts';
import { percentile } from './harness.ts';
import { createInstallation } from './installation.ts';
import { FLOOR_SSE_SERVER, SSE_SERVER } from './programs.ts';
import { newScan } from './seeded-queue.ts';
import { openReaders, type Readers } from './sse-readers.ts';
import type { Line } from './table.ts';

interface Plan {
  readonly streams: number;
  readonly scans: number;
  readonly deaf: number;
  readonly chatty: number;
  readonly seconds: number;
}

const PLANS: Readonly<Record<Size, Plan>> = {
  full: { streams: 10_000, scans: 100, deaf: 1_000, chatty: 10, seconds: 15 },
  quick: { streams: 100, scans: 10, deaf: 10, chatty: 2, seconds: 1 },
};
/** Each scan changes this often: twice as often as a worker writes progress. */
const EVERY_MS = 1_000;
/** Ten thousand connections were closed and opened: that is not what is measured. */
const SETTLE_MS: Readonly<Record<Size, number>> = { full: 3_000, quick: 100 };
const WORKER = 'bench-worker';
const INSTANCE = { pool: 'baseline', instance: 'local', limit: 10_000 };

interface Server {
  readonly port: number;
  memory(word?: string): Promise<number>;
  stop(): Promise<void>;
}

async function start(program: string, argv: readonly string[]): Promise<Server> {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(process.execPath, [program, ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const number = async (): Promise<number> => Number((await lines.next()).value);
  return {
    port: await number(),
    memory(word = 'memory') {
      child.stdin.write(`${word}\n`);
      return number();
    },
    async stop() {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

const progress = (percent: number, phase: string) => ({
  percent,
  phase,
  hosts_done: 0,
  hosts_total: 1,
  findings_so_far: 0,
  estimated: false,
  updated_at: new Date(0).toISOString(),
});

/** Scans that are running as far as the queue knows; every one changes once per `EVERY_MS`, one after the other. */
async function runningScans(folder: string, count: number) {
  const settings = { idempotencyHours: 48, queuedExpiryHours: 168, reserveBytes: 0 };
  const { queue } = await openSqliteQueue({ folder, clock: systemClock, settings });
  await queue.heartbeat(WORKER);
  const claims: Claim[] = [];
  for (let n = 0; n < count; n += 1) {
    await queue.submit(newScan(n));
    const claim = await queue.claim(WORKER, [INSTANCE]);
    if (claim) claims.push(claim);
  }
  const heart = setInterval(() => void queue.heartbeat(WORKER), 5_000);
  const paths = claims.map(({ scan }) => `/api/scans/${scan.scanId}/events`);
  return {
    paths,
    newestSeq: async (index: number): Promise<number> => {
      const { tenant, scanId } = claims[index]?.scan ?? { tenant: '', scanId: '' };
      return (await queue.events(tenant, scanId, 0)).at(-1)?.seq ?? 0;
    },
    async change(seconds: number, phaseOf: (index: number) => string): Promise<void> {
      const startedAt = performance.now();
      for (let n = 0; n < (seconds * 1000 * count) / EVERY_MS; n += 1) {
        const early = startedAt + (n * EVERY_MS) / count - performance.now();
        if (early > 1) await delay(early);
        const claim = claims[n % count];
        if (claim) await queue.progress(claim, progress(n % 100, phaseOf(n % count)));
      }
      await delay(1_000);
    },
    async close() {
      clearInterval(heart);
      await queue.close();
    },
  };
}

interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly bytesPerStream: number;
}

function figures(readers: Readers, bytesPerStream = 0): Figures {
  const latencies = readers.takeLatencies();
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), bytesPerStream };
}

/** The same readers and the same rate on a server that only writes. */
async function floorOf({ streams, scans, seconds }: Plan): Promise<Figures> {
  const server = await start(FLOOR_SSE_SERVER, [String(scans), String(EVERY_MS)]);
  const before = await server.memory();
  const paths = Array.from({ length: scans }, (_, n) => `/${n}`);
  const readers = await openReaders({ at: { port: server.port }, paths }, streams);
  await server.memory('go');
  await delay(seconds * 1000);
  const after = await server.memory();
  const found = figures(readers, (after - before) / streams);
  readers.close();
  await server.stop();
  return found;
}

/** @throws Error when a stream missed an event: then no figure is worth anything */
async function requireAll(readers: Readers, newestSeq: (index: number) => Promise<number>, scans: number) {
  const last = readers.lastIds();
  const newest = await Promise.all(Array.from({ length: scans }, (_, index) => newestSeq(index)));
  const behind = last.filter((id, index) => id !== newest[index % scans]).length;
  if (behind + readers.gaps() + readers.closed() > 0)
    throw new Error(`${behind} streams are behind, ${readers.gaps()} gaps, ${readers.closed()} closed`);
}

/** Live events to many readers, with and without some that do not read. */
export const sse: Bench = async (size) => {
  const plan = PLANS[size];
  const { streams, scans, deaf, chatty, seconds } = plan;
  const floor = await floorOf(plan);
  const installation = createInstallation();
  const { config, data } = installation;
  const running = await runningScans(data, scans);
  const server = await start(SSE_SERVER, [config, data]);
  try {
    const before = await server.memory();
    const readers = await openReaders({ at: { port: server.port }, paths: running.paths }, streams);
    await running.change(seconds, () => 'looking');
    const all = figures(readers, ((await server.memory()) - before) / streams);
    await requireAll(readers, running.newestSeq, scans);

    // The last scans of the list get large events, and readers that do not read them; theirs make room.
    const quiet = scans - chatty;
    const calm = running.paths.slice(0, quiet);
    const loud = { at: { path: join(data, 'bench.sock') }, paths: running.paths.slice(quiet) };
    readers.close();
    const hearing = await openReaders({ at: { port: server.port }, paths: calm }, streams - deaf);
    const notHearing = await openReaders(loud, deaf, true);
    await delay(SETTLE_MS[size]);
    const calmBytes = await server.memory();
    const shout = 'x'.repeat(64 * 1024);
    await running.change(seconds, (index) => (index < quiet ? 'looking' : shout));
    const beside = figures(hearing, ((await server.memory()) - calmBytes) / deaf);
    await requireAll(hearing, running.newestSeq, quiet);
    hearing.close();
    notHearing.close();
    return linesOf(plan, floor, all, beside);
  } finally {
    await server.stop();
    await running.close();
    installation.remove();
  }
};

function linesOf({ streams, deaf }: Plan, floor: Figures, all: Figures, beside: Figures): readonly Line[] {
  // A process may have room left from before and take no more.
  const kib = (bytes: number): number => Math.max(bytes / 1024, 0.1);
  // Times are whole milliseconds.
  const ratio = (ours: number, least: number): number => Math.max(ours, 0.5) / Math.max(least, 0.5);
  const what = `live event, ${streams.toLocaleString('en')} streams`;
  const line = (name: string, measure: 'p50' | 'p99', ours: Figures): Line => ({
    what: name,
    measure,
    floor: floor[measure],
    ours: ours[measure],
    ratio: ratio(ours[measure], floor[measure]),
    ...(measure === 'p99' && { target: { of: 'ours', atMost: 250 } }),
  });
  const more = kib(beside.bytesPerStream);
  const memory = { floor: kib(floor.bytesPerStream), ours: kib(all.bytesPerStream) };
  return [
    line(what, 'p50', all),
    line(what, 'p99', all),
    line(`${what}, ${deaf.toLocaleString('en')} of them not reading`, 'p99', beside),
    {
      what: `${what}, memory of one`,
      measure: 'KiB',
      ...memory,
      ratio: memory.ours / memory.floor,
      target: { of: 'ours', atMost: 25 },
    },
    {
      what: 'more for a stream that is not read',
      measure: 'KiB',
      floor: memory.floor,
      ours: more,
      ratio: more / memory.floor,
    },
  ];
}
