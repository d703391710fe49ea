import { describe, expect, it } from 'vitest';
import { connect, createInstallation } from '../e2e/stdio-client.ts';
import { allEnded, keepWorker, outsideView, queueOf, show, stateCounts } from './worker-chaos.ts';

const POINTS = [
  'before_intent',
  'after_intent',
  'after_start',
  'after_launched',
  'before_report',
  'after_report',
  'before_finish',
] as const;
const SCANS = 20;

const POOL = `scripted:
  - { instance_id: only, name: Only, max_concurrent_scans: 1, folder: $OUTSIDE, label: only }
`;

/** All scans of one installation kill their worker once, at the same point. */
async function killAt(point: (typeof POINTS)[number]) {
  const installation = createInstallation({ 'scanners.yaml': POOL });
  const mcp = await connect(installation, { argv: ['--no-worker'] });
  const queue = await queueOf(installation);
  for (let n = 0; n < SCANS; n += 1) {
    const templates = [`kill:${point}`, 'duration:10'];
    const key = { idempotency_key: `${point}-${n}-key` };
    await mcp.ok('run_untrusted_scan', { targets: ['127.0.0.1'], scanner_pool: 'scripted', templates, ...key });
  }
  const worker = keepWorker(installation);
  const scans = await allEnded(queue, 100_000);
  const kills = worker.ends();
  await worker.close();
  const { starts, startedTwice, overLimit } = outsideView(installation, { only: 1 });
  return { point, states: stateCounts(scans), kills, starts, startedTwice, overLimit };
}

describe('a worker that is killed at one point of every scan', () => {
  it.each([{ points: POINTS.slice(0, 3) }, { points: POINTS.slice(3, 5) }, { points: POINTS.slice(5) }])(
    'leaves scans that the next one completes without a second start: $points',
    async ({ points }) => {
      const seen = await Promise.all(points.map(killAt));
      for (const { point, ...figures } of seen) show(`kills ${point}`, figures);
      const good = { states: { completed: SCANS }, kills: SCANS, starts: SCANS, startedTwice: [], overLimit: [] };
      expect(seen).toEqual(points.map((point) => ({ point, ...good })));
    },
    120_000,
  );
});
