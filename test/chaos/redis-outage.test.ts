import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect } from '../e2e/stdio-client.ts';
import { createRedisInstallation, type RedisInstallation } from './redis-installation.ts';
import { allEnded, countBy, outsideView, show, stateCounts } from './worker-chaos.ts';

const POOL = `scripted:
  - { instance_id: only, name: Only, max_concurrent_scans: 8, folder: $OUTSIDE, label: only }
`;
/** So that both workers are at work. */
const SETTINGS = `
storage_reserve_mb: 0
worker: { max_concurrent_scans: 3 }
`;
const OUTAGE_MS = 30_000;
/** Some end during the outage, some after it. */
const DURATIONS_MS = [5_000, 15_000, 25_000, 40_000, 45_000];

const AWAY = {
  stopped: {
    leave: ({ server }: RedisInstallation) => server.kill('SIGSTOP'),
    comeBack: ({ server }: RedisInstallation) => server.kill('SIGCONT'),
  },
  killed: {
    leave: ({ server }: RedisInstallation) => server.kill('SIGKILL'),
    comeBack: ({ server }: RedisInstallation) => server.restart(),
  },
};

async function outage(how: keyof typeof AWAY) {
  const installation = await createRedisInstallation({ 'scanners.yaml': POOL, 'scanmux.yaml': SETTINGS });
  const { queue, env } = installation;
  const mcp = await connect(installation, { argv: ['--no-worker'], env });
  const workers = installation.keepWorkers(2);
  let made = 0;
  const call = (durationMs: number) => ({
    name: 'run_untrusted_scan',
    arguments: {
      targets: ['127.0.0.1'],
      scanner_pool: 'scripted',
      templates: [`duration:${durationMs}`],
      idempotency_key: `outage-${(made += 1)}-key`,
    },
  });
  for (const durationMs of DURATIONS_MS) await mcp.client.callTool(call(durationMs));
  await expect.poll(() => outsideView(installation, {}).starts, { timeout: 60_000 }).toBe(DURATIONS_MS.length);
  // Each has room for three, so both are there. One that starts while Redis is away would end and be started again.
  await expect.poll(async () => (await queue.activeByInstance()).get('scripted/only')).toBe(DURATIONS_MS.length);

  const { leave, comeBack } = AWAY[how];
  await leave(installation);
  const backAt = Date.now() + OUTAGE_MS;
  const answers: { code: string; ms: number }[] = [];
  while (Date.now() < backAt) {
    const askedAt = performance.now();
    const { isError, content } = await mcp.client.callTool(call(10));
    const code = isError ? (/"text":"([a-z_]+): /.exec(JSON.stringify(content))?.[1] ?? '') : 'accepted';
    answers.push({ code, ms: performance.now() - askedAt });
    await delay(200);
  }
  const endedMeanwhile = installation.journal().filter((line) => line.startsWith('end ')).length;
  await comeBack(installation);
  // Nobody restarts anything: the server takes scans again and the workers go on.
  await expect
    .poll(async () => (await mcp.client.callTool(call(10))).isError ?? false, { timeout: 30_000 })
    .toBe(false);
  const scans = await allEnded(queue, 120_000);
  const { startedTwice } = outsideView(installation, {});
  const slowest = Math.round(Math.max(...answers.map(({ ms }) => ms)));
  const codes = countBy(answers, ({ code }) => code);
  show(`Redis ${how} for 30 s`, { codes, slowestAnswerMs: slowest, endedMeanwhile, states: stateCounts(scans) });
  return {
    codes: Object.keys(codes),
    // At the scanner those of 5, 15 and 25 s were over, whether or not the queue could be told.
    runningWentOn: endedMeanwhile >= 3,
    states: Object.keys(stateCounts(scans)),
    lostLeases: scans.filter(({ epoch }) => epoch !== 1).length,
    startedTwice,
    workersThatEnded: workers.reduce((sum, worker) => sum + worker.ends(), 0),
  };
}

describe('Redis is gone for 30 seconds under load', () => {
  it('and submits are refused, running scans go on, and everything resumes by itself', async () => {
    const seen = await Promise.all([outage('stopped'), outage('killed')]);
    const good = {
      codes: ['queue_unavailable'],
      runningWentOn: true,
      states: ['completed'],
      lostLeases: 0,
      startedTwice: [],
      workersThatEnded: 0,
    };
    expect(seen).toEqual([good, good]);
  }, 300_000);
});
