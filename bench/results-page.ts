import { counts, type Bench } from './bench.ts';
import { compare } from './harness.ts';
import { createInstallation } from './installation.ts';
import { ECHO_SERVER, SCANMUX } from './programs.ts';
import { seedQueue } from './seeded-queue.ts';
import { callSide } from './status-call.ts';
import { lineOf, type Line } from './table.ts';
import { connect } from './wire.ts';

/** Pages out of one large scan, over stdio. */
export const resultsPage: Bench = async (size) => {
  const installation = createInstallation();
  const queue = await seedQueue(installation.data);
  const findings = size === 'full' ? 100_000 : 500;
  const scan = { scan_id: await queue.finishedScan(findings), max_tokens: 4_000 };
  const echo = await connect([ECHO_SERVER]);
  const ours = await connect([SCANMUX, ...installation.argv]);
  try {
    const first = await ours.call('get_scan_results', scan);
    const cursor = first.structuredContent?.['next_cursor'];
    const pages = {
      'first page': scan,
      'second page': { ...scan, cursor },
      'one severity': { ...scan, severity_levels: ['high'] },
      'one port': { ...scan, port: 443 },
    };
    const lines: Line[] = [];
    for (const [which, args] of Object.entries(pages)) {
      const result = await compare({
        name: `get_scan_results, ${findings} findings, ${which}`,
        floor: callSide('bare SDK echo tool', echo, 'echo', () => args),
        subject: callSide('get_scan_results', ours, 'get_scan_results', () => args),
        ...counts(size, { rounds: 4, perRound: 50 }),
      });
      lines.push(lineOf(result, 'p50'), lineOf(result, 'p99'));
    }
    return lines;
  } finally {
    await Promise.all([echo.close(), ours.close()]);
    await queue.close();
    installation.remove();
  }
};
