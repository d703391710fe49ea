import { createServer } from 'node:http';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { SubmittedScan } from '../../src/model/contract/run.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { INITIALIZE } from './mcp-lab.ts';
import { served, type Served } from './served.ts';

async function redisServer(): Promise<RedisServer> {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  return redis;
}

/** Something to scan. */
async function target(): Promise<string> {
  const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

async function submit({ url }: Served, waitSeconds: number): Promise<unknown> {
  const answer = await fetch(`${url}/api/scans`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ targets: [await target()], intensity: 'light', wait_seconds: waitSeconds }),
  });
  return answer.json();
}

it('runs scans itself where the queue is in Redis', async () => {
  const server = await served([], { REDIS_URL: (await redisServer()).url });
  expect(await submit(server, 20)).toMatchObject({ state: 'completed' });
  expect(await server.call('get_queue_status')).toMatchObject({ backend: 'redis', workers: 1 });
  server.child.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
});

it('leaves them to the workers with --no-worker', async () => {
  const server = await served(['--no-worker'], { REDIS_URL: (await redisServer()).url });
  const { scan_id: scanId } = SubmittedScan.parse(await submit(server, 0));
  expect(await server.call('get_scan_status', { scan_id: scanId })).toMatchObject({
    state: 'queued',
    waiting_for: 'worker',
  });
  expect(await server.call('get_queue_status')).toMatchObject({ backend: 'redis', workers: 0 });
});

it('listens before Redis is there, says that it lives and is not ready, and serves once it is', async () => {
  const redis = await redisServer();
  await redis.kill('SIGKILL');
  const server = await served(['--no-worker'], { REDIS_URL: redis.url });
  const get = (path: string): Promise<Response> => fetch(`${server.url}${path}`);
  expect((await get('/healthz')).status).toBe(200);
  const ready = await get('/readyz');
  expect([ready.status, await ready.json()]).toEqual([
    503,
    { status: 'not_ready', parts: { process: 'starting', queue: 'queue_unavailable' } },
  ]);
  const refused = await get('/api/scans');
  expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toMatchObject([
    503,
    '5',
    { code: 'queue_unavailable', retryable: true },
  ]);
  const mcp = await server.post(INITIALIZE);
  expect([mcp.status, await mcp.json()]).toMatchObject([503, { error: { data: { code: 'queue_unavailable' } } }]);
  await redis.restart();
  await expect.poll(async () => (await get('/readyz')).status).toBe(200);
  expect((await get('/api/scans')).status).toBe(200);
  server.child.kill('SIGTERM');
  const { code, stderr } = await server.ended;
  expect(code).toBe(0);
  expect(stderr).toMatch(/Trying again until it is there/);
});

it('ends on SIGTERM while it waits for Redis', async () => {
  const redis = await redisServer();
  await redis.kill('SIGKILL');
  const server = await served([], { REDIS_URL: redis.url });
  server.child.kill('SIGTERM');
  expect(await server.ended).toMatchObject({ code: 0, signal: null });
});
