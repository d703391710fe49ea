import { readdirSync, readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { noCoverage } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLog, type Log } from '../../src/platform/log.ts';
import type { RedisPlace } from '../../src/queue/redis/connection-target.ts';
import { openSharedQueue, type SharedQueue } from '../../src/queue/redis/open.ts';
import { newScan } from '../contracts/queue-contract.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { freePort } from '../free-port.ts';
import { eventually, makeCertificates, startCluster, startSentinel } from './redis-setups.ts';

const opened: SharedQueue[] = [];
afterEach(async () => {
  for (const { queue } of opened.splice(0)) await queue.close();
});

async function open(place: RedisPlace, prefix: string = randomUUID(), log: Log = silentLog): Promise<SharedQueue> {
  const shared = await openSharedQueue({
    place,
    prefix,
    allowVolatile: false,
    clock: systemClock,
    settings: { idempotencyHours: 48, queuedExpiryHours: 168 },
    log,
  });
  opened.push(shared);
  return shared;
}

async function startServer(args: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedis({ args });
  onTestFinished(() => server.close());
  return server;
}

/** A connection of the test's own, closed with it. */
function quiet(client: Redis): Redis {
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  return client;
}

const SLOTS = [{ pool: 'nmap', instance: 'a', limit: 9 }];
const RESULT = {
  verdict: 'complete' as const,
  coverage: noCoverage(0),
  findings: 0,
  by_severity: noSeverities(),
  artefacts: [],
};

/** One scan from the one handle over the other, with every kind of thing that Redis is used for. */
async function runOne(asking: SharedQueue, working: SharedQueue): Promise<void> {
  const over = new AbortController();
  const woken = working.queue.waitForWork(over.signal, 10_000);
  await working.queue.heartbeat('worker');
  const { scan } = await asking.queue.submit(newScan({}, { idempotencyKey: randomUUID() }));
  expect(await woken).toBe(true);
  const told = asking.queue.waitForEvent('local', scan.scanId, 1, over.signal);
  const claim = await working.queue.claim('worker', SLOTS);
  if (!claim) throw new Error('nothing to claim');
  expect(await told).toBe(true);
  expect(await working.queue.checkpoint(claim, { phase: 'intent' })).toBe(true);
  expect(await working.queue.renew(claim)).toEqual({ owned: true, cancel: false });
  expect((await asking.queue.cancel('local', scan.scanId)).effect).toBe('signalled');
  expect(await working.queue.finish(claim, { kind: 'completed', result: RESULT })).toBe(true);
  expect(await asking.queue.get('local', scan.scanId)).toMatchObject({ state: 'completed' });
  expect(await asking.queue.list('local', { limit: 9 })).toMatchObject({ total: 1 });
  expect(await asking.queue.status('local')).toMatchObject({ backend: 'redis', workers: 1 });
  async function* looks() {
    yield [{ place: '10.0.0.1', isLooked: true, also: ['a.test'] }];
  }
  await working.index.add({ tenant: 'local', scanId: scan.scanId, engine: 'nmap', finishedAt: 1 }, looks());
  expect(await asking.index.latestAt('local', 'a.test')).toHaveLength(1);
  expect(await asking.index.missing('local', 9)).toEqual([]);
  const judged = { status: 'mitigated', reason: 'r', who: 'cli', expiresAt: Date.now() + 60_000 } as const;
  await asking.suppressions.put('local', { fingerprint: 'f', ...judged });
  expect((await working.suppressions.inForce('local')).entries).toHaveLength(1);
  await asking.suppressions.remove('local', { fingerprint: 'f' });
  await working.queue.retire('worker');
}

describe('a shared queue', () => {
  it('works for a user with no other rights than docs/operations.md lists', async () => {
    const server = await startServer(['--requirepass', 'admin']);
    const admin = new Redis({ port: server.port, password: 'admin' });
    const [, rights = ''] = /ACL SETUSER scanmux (.*)/.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
    await admin.call('ACL', 'SETUSER', 'scanmux', ...rights.trim().split(' '));
    const place = { url: `redis://scanmux:secret@127.0.0.1:${server.port}/0` };
    await runOne(await open(place, 'scanmux'), await open(place, 'scanmux'));
    const user = new Redis({ port: server.port, username: 'scanmux', password: 'secret' });
    for (const denied of [['SET', 'other', '1'], ['FLUSHALL'], ['CONFIG', 'SET', 'appendonly', 'no'], ['KEYS', '*']]) {
      await expect(user.call(denied[0] ?? '', ...denied.slice(1)), denied[0]).rejects.toThrow(/NOPERM/);
    }
    await expect(open(place, 'elsewhere')).rejects.toMatchObject({ code: expect.any(String) });
    user.disconnect();
    admin.disconnect();
  });

  it('uses no command in its scripts that docs/operations.md does not list', () => {
    const [, rights = ''] = /ACL SETUSER scanmux (.*)/.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
    const folder = 'src/queue/redis';
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const sources = files.map((file) => readFileSync(`${folder}/${file}`, 'utf8')).join();
    const used = [...sources.matchAll(/redis\.p?call\('(\w+)'/g)].map(([, name = '']) => `+${name.toLowerCase()}`);
    expect(used.length).toBeGreaterThan(50);
    expect(used.filter((right) => !rights.split(' ').includes(right))).toEqual([]);
  });

  it('works over TLS', async () => {
    const certificates = makeCertificates();
    const { caFile, certFile, keyFile } = certificates;
    onTestFinished(() => certificates.remove());
    const port = await freePort();
    const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', caFile];
    await startServer(['--tls-port', String(port), '--tls-auth-clients', 'no', ...files]);
    const place = { url: `rediss://127.0.0.1:${port}`, tls: { caFile } };
    await runOne(await open(place, 'x'), await open(place, 'x'));
  });

  it('works on a cluster, whichever node is named', async () => {
    const cluster = await startCluster();
    onTestFinished(() => cluster.close());
    const [a, b] = cluster.ports.map((port) => ({ url: `redis://127.0.0.1:${port}`, cluster: true }));
    if (!a || !b) throw new Error('no cluster');
    for (const prefix of ['a', 'b', 'c', 'd']) await runOne(await open(a, prefix), await open(b, prefix));
    expect((await open(a)).redis).toMatchObject({ servers: 3, durability: 'always', problems: [] });
  }, 90_000);

  it('follows the sentinels to another master, with what its replica had', async () => {
    const [master, replica] = [await startServer(), await startServer()];
    const admin = quiet(new Redis(replica.port));
    await admin.call('REPLICAOF', '127.0.0.1', String(master.port));
    await eventually(
      () => admin.info('replication'),
      (text) => text.includes('master_link_status:up'),
    );
    const sentinel = await startSentinel(master.port);
    onTestFinished(() => sentinel.end());
    const watch = quiet(new Redis(sentinel.port));
    await eventually(
      () => watch.call('SENTINEL', 'REPLICAS', 'scans'),
      (found) => Array.isArray(found) && found.length > 0,
    );
    const place = { url: `redis+sentinel://127.0.0.1:${sentinel.port}/scans` };
    const shared = await open(place, 'x');
    expect(shared.redis.notes.join()).toMatch(/failover can lose/);
    const { scan } = await shared.queue.submit(newScan());
    await eventually(
      () => admin.exists(`{x}:scan:${scan.scanId}`),
      (n) => n === 1,
    );
    await master.kill('SIGKILL');
    await eventually(
      () => shared.queue.submit(newScan()),
      () => true,
    );
    const claim = await eventually(
      () => shared.queue.claim('worker', SLOTS),
      () => true,
    );
    expect(claim?.scan.scanId).toBe(scan.scanId);
  }, 90_000);

  it('says so when the server that is there after an outage would lose scans', async () => {
    const server = await startServer();
    const told: string[] = [];
    const log: Log = { ...silentLog, error: (_, message) => void told.push(message) };
    const shared = await open({ url: server.url }, 'x', log);
    const admin = quiet(new Redis(server.port));
    await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(
      async () => told,
      () => told.length > 0,
    );
    expect(told.join()).toMatch(/may lose scans now: maxmemory-policy is allkeys-lru/);
    expect(await shared.queue.liveCount()).toBe(0);
  });

  it('keeps what it was told to log in with to itself when the login is withdrawn', async () => {
    const server = await startServer(['--requirepass', 'hunter2secret']);
    const shared = await open({ url: `redis://:hunter2secret@127.0.0.1:${server.port}` });
    const admin = new Redis({ port: server.port, password: 'hunter2secret' });
    await admin.config('SET', 'requirepass', 'another');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const refused = await shared.queue.submit(newScan()).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'queue_unavailable' });
    expect(inspect(refused, { depth: 9, showHidden: true })).not.toContain('hunter2secret');
    admin.disconnect();
  });
});
