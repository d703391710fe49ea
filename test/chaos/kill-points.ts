import type { ScanQueue } from '../../src/queue/queue.ts';
import { connect, type Installation } from '../e2e/stdio-client.ts';
import { allEnded, outsideView, stateCounts, type Keeper } from './worker-chaos.ts';

export const POINTS = [
  'before_intent',
  'after_intent',
  'after_start',
  'after_launched',
  'before_report',
  'after_report',
  'before_finish',
] as const;
export type Point = (typeof POINTS)[number];

/** Scans, and kills, of each point. */
export const SCANS = 20;

export const POOL = `scripted:
  - { instance_id: only, name: Only, max_concurrent_scans: 1, folder: $OUTSIDE, label: only }
`;

/** What has to be seen of a point. */
export const good = (point: Point) => ({
  point,
  states: { completed: SCANS },
  kills: SCANS,
  starts: SCANS,
  startedTwice: [],
  overLimit: [],
});

export interface Lab {
  readonly installation: Installation;
  readonly queue: ScanQueue;
  /** Of the server, besides PATH. */
  readonly env?: Readonly<Record<string, string>>;
  readonly keepWorker: () => Keeper;
}

/** All scans of one installation kill their worker once, at the same point. */
export async function killAt(point: Point, { installation, queue, env = {}, keepWorker }: Lab) {
  const mcp = await connect(installation, { argv: ['--no-worker'], env });
  for (let n = 0; n < SCANS; n += 1) {
    const templates = [`kill:${point}`, 'duration:10'];
    const key = { idempotency_key: `${point}-${n}-key` };
    await mcp.ok('run_untrusted_scan', { targets: ['127.0.0.1'], scanner_pool: 'scripted', templates, ...key });
  }
  const worker = keepWorker();
  const scans = await allEnded(queue, 200_000);
  const kills = worker.ends();
  await worker.close();
  const { starts, startedTwice, overLimit } = outsideView(installation, { only: 1 });
  return { point, states: stateCounts(scans), kills, starts, startedTwice, overLimit };
}
