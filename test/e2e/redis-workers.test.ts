import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { MAIN } from '../cli/command-process.ts';
import { startRedis } from '../redis-server.ts';
import { connect, createInstallation, type Installation } from './stdio-client.ts';

const PROGRAM = 'dist/cli/main.js';
const CONFIG = {
  'scanners.yaml': `baseline:
  - { instance_id: one, name: One, max_concurrent_scans: 2 }
baseline_2:
  - { instance_id: two, name: Two, max_concurrent_scans: 2 }
`,
  'scanmux.yaml': 'storage_reserve_mb: 0\n',
};

const Shown = z.object({
  workers: z.int(),
  live_workers: z.array(
    z.object({ pools: z.array(z.string()).optional(), concurrency: z.int(), draining: z.boolean() }),
  ),
});

function startWorker(installation: Installation, argv: readonly string[], url: string): ChildProcess {
  const { config, data } = installation;
  const env = { PATH: process.env['PATH'] ?? '', HOME: data, REDIS_URL: url };
  const child = spawn(process.execPath, [MAIN, '--config', config, '--data', data, 'worker', ...argv], {
    env,
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

it('workers of one queue in Redis serve the pools they are started for, and all are seen', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const installation = createInstallation(CONFIG);
  const mcp = await connect(installation, { program: PROGRAM, env: { REDIS_URL: redis.url } });
  const workers = [
    startWorker(installation, ['--pools', 'baseline', '--concurrency', '3'], redis.url),
    startWorker(installation, ['--pools', 'baseline_2', '--concurrency', '1'], redis.url),
  ];
  const seen = async () => Shown.parse(await mcp.ok('get_queue_status'));
  await expect.poll(async () => (await seen()).workers).toBe(2);
  const shown = (await seen()).live_workers.toSorted((a, b) => b.concurrency - a.concurrency);
  expect(shown).toEqual([
    { pools: ['baseline'], concurrency: 3, draining: false },
    { pools: ['baseline_2'], concurrency: 1, draining: false },
  ]);

  const [first, second] = workers;
  const ended = first ? once(first, 'exit') : [];
  first?.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect((await seen()).live_workers).toEqual([{ pools: ['baseline_2'], concurrency: 1, draining: false }]);

  // Nobody serves its pool any more.
  const { scan_id: scanId } = await mcp.ok('run_untrusted_scan', { targets: ['127.0.0.1'], scanner_pool: 'baseline' });
  const other = await mcp.ok('run_untrusted_scan', { targets: ['127.0.0.1'], ports: '1', scanner_pool: 'baseline_2' });
  const done = await mcp.ok('wait_for_scan', { scan_id: other['scan_id'], wait_seconds: 20 });
  expect(done).toMatchObject({ state: 'completed' });
  expect(await mcp.ok('get_scan_status', { scan_id: scanId })).toMatchObject({ state: 'queued' });
  second?.kill('SIGKILL');
});
