import { counts, type Bench } from './bench.ts';
import { compare, type Side } from './harness.ts';
import { createInstallation } from './installation.ts';
import { ECHO_SERVER, SCANMUX } from './programs.ts';
import { seedQueue } from './seeded-queue.ts';
import { lineOf, type Line } from './table.ts';
import { connect, type Wire } from './wire.ts';

const IN_FLIGHT = 64;

/** A tool call as one unit of work. */
export function callSide(name: string, wire: Wire, tool: string, args: () => Readonly<Record<string, unknown>>): Side {
  return {
    name,
    async once() {
      const { isError } = await wire.call(tool, args());
      if (isError) throw new Error(`${tool} failed`);
    },
  };
}

/** `get_scan_status` over stdio against a bare SDK tool that echoes its argument: the price of everything we add. */
export const statusCall: Bench = async (size) => {
  const installation = createInstallation();
  const queue = await seedQueue(installation.data);
  const scans = { finished: await queue.finishedScan(5), queued: await queue.queuedScan() };
  const echo = await connect([ECHO_SERVER]);
  const ours = await connect([SCANMUX, ...installation.argv]);
  try {
    const lines: Line[] = [];
    for (const [which, scanId] of Object.entries(scans)) {
      const args = { scan_id: scanId };
      const floor = callSide('bare SDK echo tool', echo, 'echo', () => args);
      const subject = callSide('get_scan_status', ours, 'get_scan_status', () => args);
      const one = { name: `get_scan_status, ${which} scan`, floor, subject };
      const many = { ...one, name: `${one.name}, ${IN_FLIGHT} in flight`, concurrency: IN_FLIGHT };
      const single = await compare({ ...one, ...counts(size, { rounds: 16, perRound: 400, warmUp: 2_000 }) });
      const busy = await compare({ ...many, ...counts(size, { rounds: 12, perRound: 2_000 }) });
      lines.push(
        lineOf(single, 'p50', { of: 'ratio', atMost: 1.5 }),
        lineOf(single, 'p99'),
        lineOf(busy, 'perSecond', { of: 'ratio', atLeast: 0.55 }),
      );
    }
    return lines;
  } finally {
    await Promise.all([echo.close(), ours.close()]);
    await queue.close();
    installation.remove();
  }
};
