import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MAIN } from '../cli/command-process.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { connect, createInstallation, finished, workerPids, type Installation } from './stdio-client.ts';

const PASSWORD = 'hunter2secret';
const PROGRAM = 'dist/cli/main.js';
const CONFIG = {
  'scanners.yaml': 'baseline:\n  - { instance_id: local, name: Baseline, max_concurrent_scans: 2 }\n',
  'scanmux.yaml': 'storage_reserve_mb: 0\n',
};

async function startServer(): Promise<{ redis: RedisServer; env: Readonly<Record<string, string>> }> {
  const redis = await startRedis({ args: ['--requirepass', PASSWORD] });
  onTestFinished(() => redis.close());
  return { redis, env: { REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:${redis.port}/0` } };
}

/** A web server to look at. */
async function startTarget(): Promise<string> {
  const server = createServer((_, response) => response.setHeader('server', 'nginx/1.0').end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
}

interface Run {
  readonly child: ChildProcess;
  /** All it has written so far. */
  said(): string;
  ended(): Promise<number | null>;
}

/** scanmux as users run it. */
function run({ config, data }: Installation, argv: readonly string[], env: Readonly<Record<string, string>>): Run {
  const all = { PATH: process.env['PATH'] ?? '', HOME: data, ...env };
  const child = spawn(process.execPath, [MAIN, '--config', config, '--data', data, ...argv], { env: all });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
  child.stdin.end();
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, said: () => said, ended: () => ended };
}

async function command(
  installation: Installation,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number | null; said: string }> {
  const running = run(installation, argv, env);
  return { code: await running.ended(), said: running.said() };
}

describe('scanmux with its queue in Redis', () => {
  it('runs scans in a worker of another process, and reads their results from the folder they share', async () => {
    const { env } = await startServer();
    const installation = createInstallation(CONFIG);
    const mcp = await connect(installation, { program: PROGRAM, env });
    const target = await startTarget();
    const { scan_id: scanId } = await mcp.ok('run_untrusted_scan', { targets: [target] });
    const waiting = await mcp.ok('get_scan_status', { scan_id: scanId });
    expect(waiting).toMatchObject({ state: 'queued', waiting_for: 'worker', queue_position: 1 });
    expect(await mcp.ok('get_queue_status')).toMatchObject({ backend: 'redis', workers: 0 });

    const worker = run(installation, ['worker'], env);
    expect(await finished(mcp, scanId)).toMatchObject({ state: 'completed' });
    const results = await mcp.ok('get_scan_results', { scan_id: scanId });
    expect(results['total']).toBeGreaterThan(0);
    expect(await mcp.ok('get_queue_status')).toMatchObject({ workers: 1 });
    expect(await mcp.ok('search_findings', { target: '127.0.0.1' })).toMatchObject({ total: results['total'] });

    // Nobody started another worker, and no file took the place of Redis.
    expect(workerPids(installation.data)).toEqual([]);
    expect(existsSync(join(installation.data, 'queue.db'))).toBe(false);
    expect(worker.child.exitCode).toBeNull();
    worker.child.kill('SIGTERM');
    expect(await worker.ended()).toBe(0);
    expect(worker.said()).not.toContain(PASSWORD);
    expect(await mcp.ok('get_queue_status')).toMatchObject({ workers: 0 });
  }, 60_000);

  it('serves the commands of people', async () => {
    const { env } = await startServer();
    const installation = createInstallation(CONFIG);
    const target = await startTarget();
    run(installation, ['worker'], env);
    const scan = await command(installation, ['scan', target, '--json'], env);
    expect(scan.code, scan.said).toBe(0);
    const [scanId = ''] = /scan_[0-9a-z]+/.exec(scan.said) ?? [];
    for (const [argv, said] of [
      [['list'], scanId],
      [['status', scanId], 'completed'],
      [['results', scanId], scanId],
      [['dlq', 'list'], 'No dead letters.'],
      [['suppressions'], 'Nothing is suppressed.'],
      [['search'], '1 searched'],
    ] as const) {
      const answer = await command(installation, argv, env);
      expect(answer, argv.join(' ')).toMatchObject({ code: 0, said: expect.stringContaining(said) });
    }
  }, 60_000);

  it('runs them inside a server that was told to, and takes a second machine for what it is', async () => {
    const { env } = await startServer();
    const installation = createInstallation(CONFIG);
    const mcp = await connect(installation, { program: PROGRAM, env, argv: ['--in-process'] });
    const target = await startTarget();
    const { scan_id: scanId } = await mcp.ok('run_untrusted_scan', { targets: [target] });
    expect(await finished(mcp, scanId)).toMatchObject({ state: 'completed' });
    expect(workerPids(installation.data)).toEqual([]);
    const elsewhere = createInstallation(CONFIG);
    expect((await command(elsewhere, ['list'], env)).said).toContain(scanId);
    const { said } = await command(elsewhere, ['doctor'], env);
    expect(said).toMatch(/ok +worker +1 runs, on any machine/);
    // Its own audit log is empty, because the scan was asked for elsewhere.
    expect(said).toMatch(/ok +audit +0 entries/);
  }, 60_000);

  it('is told by doctor: where, which version, how durable, who works; never the password', async () => {
    const { redis, env } = await startServer();
    const installation = createInstallation(CONFIG);
    const well = await command(installation, ['doctor'], env);
    expect(well.said).toMatch(
      new RegExp(`ok +redis +(Redis|Valkey) \\d[\\d.]+ at redis://127.0.0.1:${redis.port}/0: every write`),
    );
    expect(well.said).toMatch(/ok +queue +redis: 0 queued/);
    expect(well.said).toMatch(/warn +worker +none runs\. Fix: run `scanmux worker`/);
    const wrong = await command(installation, ['doctor'], { REDIS_URL: env['REDIS_URL']?.replace('2s', '3s') ?? '' });
    expect(wrong).toMatchObject({
      code: 1,
      said: expect.stringMatching(/fail +queue +config_invalid: .*refuses the login/),
    });
    expect(wrong.said).toMatch(/ok +scanners +baseline/);
    await redis.kill('SIGKILL');
    const away = await command(installation, ['doctor'], env);
    expect(away).toMatchObject({
      code: 1,
      said: expect.stringMatching(/fail +queue +queue_unavailable: .*ECONNREFUSED/),
    });
    for (const { said } of [well, wrong, away]) expect(said).not.toMatch(/hunter[23]secret/);
  }, 60_000);

  it('refuses a Redis that can lose scans, with the fix, and takes it when that is allowed', async () => {
    const redis = await startRedis({ args: ['--appendonly', 'no'] });
    onTestFinished(() => redis.close());
    const env = { REDIS_URL: redis.url };
    const installation = createInstallation(CONFIG);
    const refused = await command(installation, ['list'], env);
    expect(refused.said).toMatch(/storage_unusable: .*append-only file/);
    expect(refused.said).toMatch(/appendonly yes.*allow_volatile_redis/s);
    const allowed = await command(installation, ['list'], { ...env, SCANMUX_ALLOW_VOLATILE_REDIS: 'true' });
    expect(allowed.said).not.toMatch(/storage_unusable/);
    const doctor = await command(installation, ['doctor'], { ...env, SCANMUX_ALLOW_VOLATILE_REDIS: 'true' });
    expect(doctor.said).toMatch(/warn +redis .*no append-only file/);
  }, 60_000);

  it('starts before Redis does, goes on after an outage, and says meanwhile what is wrong', async () => {
    const { redis, env } = await startServer();
    await redis.kill('SIGKILL');
    const installation = createInstallation(CONFIG);
    const worker = run(installation, ['worker'], env);
    const mcp = await connect(installation, { program: PROGRAM, env });
    const refused = await mcp.fails('list_scans');
    expect(refused.code).toBe('queue_unavailable');
    expect(refused.text).not.toContain(PASSWORD);
    await redis.restart();
    const target = await startTarget();
    const first = await mcp.ok('run_untrusted_scan', { targets: [target] });
    expect(await finished(mcp, first['scan_id'])).toMatchObject({ state: 'completed' });
    await redis.kill('SIGKILL');
    expect((await mcp.fails('list_scans')).code).toBe('queue_unavailable');
    await redis.restart();
    await expect.poll(async () => (await mcp.client.callTool({ name: 'list_scans' })).isError).toBeFalsy();
    const second = await mcp.ok('run_untrusted_scan', { targets: [target] });
    expect(await finished(mcp, second['scan_id'])).toMatchObject({ state: 'completed' });
    expect(worker.said()).toMatch(/Trying again until it is there/);
    expect(worker.said()).not.toContain(PASSWORD);
  }, 60_000);
});
