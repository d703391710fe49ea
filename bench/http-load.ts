import { counts, type Bench } from './bench.ts';
import { compare, type Side } from './harness.ts';
import { openSessions, startServer, type HttpServer, type Sessions } from './http-wire.ts';
import { createInstallation } from './installation.ts';
import { HTTP_FLOOR, SCANMUX } from './programs.ts';
import { seedQueue } from './seeded-queue.ts';
import { lineOf, type Line } from './table.ts';

const SESSIONS = 200;
/** Time under load of each side; `SCANMUX_BENCH_SECONDS=60` for longer. */
const SECONDS = Number(process.env['SCANMUX_BENCH_SECONDS'] ?? 20);
const PER_ROUND = 2_000;

/**
 * 200 MCP sessions over HTTP, each calling tools as fast as it is answered, against the bare SDK on Node's own server.
 * One failed call ends the bench. What the memory of the server grows by under load is a line of its own.
 */
export const httpLoad: Bench = async (size) => {
  const sessions = size === 'full' ? SESSIONS : 4;
  const installation = createInstallation();
  const queue = await seedQueue(installation.data);
  const scanId = await queue.finishedScan(5);
  await queue.close();
  const floorServer = await startServer([HTTP_FLOOR]);
  const ourServer = await startServer([SCANMUX, 'serve', '--no-worker', '--port', '0', ...installation.argv], {
    SCANMUX_HTTP_ALLOW_ANONYMOUS_LOOPBACK: 'true',
  });
  try {
    const empty = await bothMemories(floorServer, ourServer);
    const bare = await openSessions(floorServer.url, sessions);
    const ours = await openSessions(ourServer.url, sessions);
    const open = await bothMemories(floorServer, ourServer);
    const args = { scan_id: scanId };
    const floor = side('bare SDK over HTTP', bare, 'echo', args);
    const subject = side('get_scan_status over HTTP', ours, 'get_scan_status', args);
    const warmUp = await timed(floor, subject, size === 'full' ? PER_ROUND * 2 : 4, sessions);
    const warm = await bothMemories(floorServer, ourServer);
    const rounds = Math.max(4, Math.ceil((SECONDS * 1_000) / (warmUp / 2)));
    const result = await compare({
      name: `get_scan_status over HTTP, ${sessions} sessions`,
      floor,
      subject,
      concurrency: sessions,
      ...counts(size, { rounds, perRound: PER_ROUND, warmUp: 0 }),
    });
    const after = await bothMemories(floorServer, ourServer);
    await Promise.all([bare.close(), ours.close()]);
    return [
      lineOf(result, 'p50', { of: 'ratio', atMost: 2 }),
      lineOf(result, 'p99', { of: 'ratio', atMost: 2 }),
      lineOf(result, 'perSecond', { of: 'ratio', atLeast: 0.5 }),
      memoryLine(
        `memory ${sessions} sessions take, against the bare SDK`,
        open.floor - empty.floor,
        open.ours - empty.ours,
      ),
      { ...memoryLine('memory of the server, before and after the load', warm.ours, after.ours), target: FLAT },
    ];
  } finally {
    await Promise.all([floorServer.close(), ourServer.close()]);
    installation.remove();
  }
};

const FLAT = { of: 'ratio', atMost: 1.25 } as const;

const side = (name: string, sessions: Sessions, tool: string, args: Readonly<Record<string, unknown>>): Side => ({
  name,
  once: () => sessions.call(tool, args),
});

/** Milliseconds `units` calls of ours take, after as many of each: the first calls of a program are its slowest. */
async function timed(floor: Side, subject: Side, units: number, concurrency: number): Promise<number> {
  const run = async (calls: Side): Promise<void> => {
    let left = units;
    const lane = async (): Promise<void> => {
      for (; left > 0;) {
        left -= 1;
        await calls.once();
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
  };
  await run(floor);
  await run(subject);
  const startedAt = performance.now();
  await run(subject);
  return performance.now() - startedAt;
}

const bothMemories = async (floor: HttpServer, ours: HttpServer) => {
  const [floorMiB, oursMiB] = await Promise.all([floor.memory(), ours.memory()]);
  return { floor: floorMiB, ours: oursMiB };
};

const memoryLine = (what: string, floor: number, ours: number): Line => ({
  what,
  measure: 'MiB',
  floor,
  ours,
  ratio: ours / Math.max(floor, 0.01),
});
