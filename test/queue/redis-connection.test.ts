import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openConnection, withConnection } from '../../src/queue/redis/connection.ts';
import { redisTarget, type RedisPlace } from '../../src/queue/redis/connection-target.ts';
import type { RedisClient } from '../../src/queue/redis/connection-watch.ts';
import { parseRedisUrl } from '../../src/queue/redis/connection-url.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { freePort } from '../free-port.ts';
import { eventually, makeCertificates, startCluster, startSentinel } from './redis-setups.ts';

const SECRET = 'p@ss:w/rd#1';
const open: RedisClient[] = [];
afterEach(() => {
  for (const client of open.splice(0)) client.disconnect();
});

async function connect(place: RedisPlace): Promise<RedisClient> {
  const client = openConnection(redisTarget(place), 'commands');
  open.push(client);
  client.on('error', () => undefined);
  await once(client, 'ready');
  return client;
}

const refusal = (place: RedisPlace): Promise<unknown> =>
  withConnection(redisTarget(place), (client) => client.ping()).catch((error: unknown) => error);

describe('the URL of a Redis', () => {
  it.each([
    ['redis://h', { kind: 'server', tls: false, addresses: [{ host: 'h', port: 6379 }], db: 0 }],
    [
      'rediss://u:p%40ss@h:1/2',
      { tls: true, username: 'u', password: 'p@ss', addresses: [{ host: 'h', port: 1 }], db: 2 },
    ],
    ['redis://:pw@[::1]:7000', { password: 'pw', addresses: [{ host: '::1', port: 7000 }] }],
    ['valkey://h/3', { kind: 'server', db: 3 }],
    [
      'redis+sentinel://u:p@a,b:5/scans/1',
      {
        kind: 'sentinel',
        masterName: 'scans',
        db: 1,
        addresses: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 5 },
        ],
      },
    ],
  ])('%s is understood', (url, said) => {
    expect(parseRedisUrl(url)).toMatchObject(said);
  });

  it.each([
    ['http://h', {}],
    ['h:6379', {}],
    ['redis://', {}],
    ['redis://h:0', {}],
    ['redis://h:99999', {}],
    ['redis://h/x', {}],
    ['redis://h/0?family=6', {}],
    ['redis://u:%zz@h', {}],
    ['redis://user@h', {}],
    ['redis://a,b', {}],
    ['redis://a/1', { cluster: true }],
    ['redis+sentinel://a/m', { cluster: true }],
    ['rediss://a', { tls: { certFile: '/nowhere' } }],
    ['rediss://a', { tls: { caFile: '/nowhere' } }],
    ['redis://a', { passwordFile: '/nowhere' }],
  ])('%s with %j is refused with a next step', (url, more) => {
    expect(() => redisTarget({ url, ...more })).toThrow(
      expect.objectContaining({ code: 'config_invalid', hint: expect.stringMatching(/^Operator: /) }),
    );
  });

  it('never shows what is in it, whatever is wrong with it', () => {
    const before = fc.constantFrom('redis://user:', 'rediss://:', 'redis+sentinel://u:', 'redis:/', '');
    const after = fc.constantFrom('@host:6379/0', '@host/x', '/y@h', '@', '?x', '#', '@[::1', '@a,b:0', ' @h', '%@h');
    fc.assert(
      fc.property(before, after, (head, tail) => {
        const url = `${head}hunter2secret${tail}`;
        try {
          expect(redisTarget({ url }).shown).not.toContain('hunter2secret');
        } catch (error) {
          expect(inspect(error, { depth: 9 }).replace(/^ +at .*$/gm, '')).not.toContain('hunter2secret');
        }
      }),
    );
  });
});

describe('a connection to one Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ args: ['--requirepass', SECRET] });
  });
  afterAll(() => server.close());
  const url = (login: string, db = 0): string => `redis://${login}@127.0.0.1:${server.port}/${db}`;
  const right = `:${encodeURIComponent(SECRET)}`;

  it('logs in with the password of the URL or of a file, into its database', async () => {
    const client = await connect({ url: url(right, 3) });
    await client.set('where', 'three');
    const folder = mkdtempSync(join(tmpdir(), 'scanmux-secret-'));
    writeFileSync(join(folder, 'password'), `${SECRET}\n`);
    const place = { passwordFile: join(folder, 'password') };
    const again = await connect({ url: `redis://127.0.0.1:${server.port}/3`, ...place });
    expect(await again.get('where')).toBe('three');
    const elsewhere = await connect({ url: `redis://127.0.0.1:${server.port}/0`, ...place });
    expect(await elsewhere.get('where')).toBeNull();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['a wrong password', ':hunter2wrong@'],
    ['no password', ''],
    ['an unknown user', 'somebody:hunter2wrong@'],
  ])('says that %s is refused, at once and without secrets', async (_, login) => {
    const error = await refusal({ url: `redis://${login}127.0.0.1:${server.port}` });
    expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('refuses the login') });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/hunter2wrong/);
  });

  it('says that a database is not there', async () => {
    expect(await refusal({ url: url(right, 999) })).toMatchObject({ code: 'config_invalid' });
  });

  it('says that nobody answers, within its patience, and then does not try on', async () => {
    const nobody = await freePort();
    expect(await refusal({ url: `redis://:hunter2@127.0.0.1:${nobody}` })).toMatchObject({
      code: 'queue_unavailable',
      message: expect.stringMatching(/ECONNREFUSED/),
    });
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    expect(await refusal({ url: `redis://127.0.0.1:${port}` })).toMatchObject({ code: 'queue_unavailable' });
    silent.close();
  });

  it('fails at once during an outage, sends nothing twice, and comes back by itself', async () => {
    const client = await connect({ url: url(right) });
    await client.set('n', 0);
    await server.kill('SIGKILL');
    for (let n = 0; n < 5; n += 1) await expect(client.incr('n')).rejects.toThrow();
    await server.restart();
    expect(
      await eventually(
        () => client.get('n'),
        () => true,
      ),
    ).toBe('0');
  });

  it('gives up on a server that stands still', async () => {
    await server.kill('SIGSTOP');
    expect(await refusal({ url: url(right) })).toMatchObject({ code: 'queue_unavailable' });
    await server.kill('SIGCONT');
  });
});

describe('a connection over TLS', () => {
  const certificates = makeCertificates();
  let port: number;
  let server: RedisServer;
  beforeAll(async () => {
    port = await freePort();
    const { caFile, certFile, keyFile } = certificates;
    const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', caFile];
    server = await startRedis({ args: ['--tls-port', String(port), '--tls-auth-clients', 'yes', ...files] });
  });
  afterAll(async () => {
    await server.close();
    certificates.remove();
  });
  const { caFile, certFile, keyFile } = certificates;

  it('trusts the authority that is named, and names itself', async () => {
    const client = await connect({ url: `rediss://127.0.0.1:${port}`, tls: { caFile, certFile, keyFile } });
    expect(await client.ping()).toBe('PONG');
    const tls = { caFile, certFile, keyFile, serverName: 'redis.test' };
    expect(await (await connect({ url: `rediss://127.0.0.1:${port}`, tls })).ping()).toBe('PONG');
  });

  it.each([
    ['no authority', {}],
    ['another name', { caFile, certFile, keyFile, serverName: 'other.test' }],
  ])('refuses a certificate with %s, and says what to set', async (_, tls) => {
    expect(await refusal({ url: `rediss://127.0.0.1:${port}`, tls })).toMatchObject({
      code: 'config_invalid',
      hint: expect.stringContaining('redis.tls.'),
    });
  });

  it('says so when Redis does not speak it, or nothing else', async () => {
    const tls = { caFile, certFile, keyFile };
    expect(await refusal({ url: `rediss://127.0.0.1:${server.port}`, tls })).toMatchObject({
      code: expect.stringMatching(/config_invalid|queue_unavailable/),
    });
    expect(await refusal({ url: `redis://127.0.0.1:${port}` })).toMatchObject({ code: 'queue_unavailable' });
  });
});

describe('connections to several servers', () => {
  it('ask the sentinels for the master, and follow a failover', async () => {
    const [master, replica] = [await startRedis(), await startRedis()];
    const admin = new Redis(replica.port);
    await admin.call('REPLICAOF', '127.0.0.1', String(master.port));
    await eventually(
      () => admin.info('replication'),
      (text) => text.includes('master_link_status:up'),
    );
    const sentinel = await startSentinel(master.port);
    try {
      const client = await connect({ url: `redis+sentinel://127.0.0.1:${sentinel.port}/scans` });
      await client.set('key', 'kept');
      const old = await connect({ url: master.url, sentinels: [`127.0.0.1:${sentinel.port}`], masterName: 'scans' });
      expect(await old.get('key')).toBe('kept');
      // A sentinel only knows replicas it has asked the master for.
      const watch = new Redis(sentinel.port);
      await eventually(
        () => watch.call('SENTINEL', 'REPLICAS', 'scans'),
        (found) => Array.isArray(found) && found.length > 0,
      );
      await eventually(
        () => admin.get('key'),
        (value) => value === 'kept',
      );
      // The master lives on as a replica; what is written to it before it knows is lost.
      await eventually(
        () => watch.call('SENTINEL', 'FAILOVER', 'scans'),
        (answer) => answer === 'OK',
      );
      watch.disconnect();
      await eventually(
        () => admin.role(),
        (role) => String(role).startsWith('master'),
      );
      for (const [n, one] of [client, old].entries()) {
        await eventually(
          async () => (await one.set(`after-${n}`, 'failover')) && (await admin.get(`after-${n}`)),
          (value) => value === 'failover' && one.status === 'ready',
        );
      }
      expect(await client.get('key')).toBe('kept');
    } finally {
      admin.disconnect();
      await sentinel.end();
      await master.close();
      await replica.close();
    }
  }, 90_000);

  it('come back when a failover is heard of while the sentinels are asked', async () => {
    const master = await startRedis();
    const sentinel = await startSentinel(master.port);
    try {
      const client = await connect({ url: `redis+sentinel://127.0.0.1:${sentinel.port}/scans` });
      // What ioredis' detector of failovers does.
      client.once('connecting', () => {
        const connector = z.looseObject({ disconnect: z.custom<() => void>() }).parse(Reflect.get(client, 'connector'));
        connector.disconnect.call(Reflect.get(client, 'connector'));
      });
      const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
      client.disconnect(true);
      await ended;
      expect(
        await eventually(
          () => client.ping(),
          (answer) => answer === 'PONG',
        ),
      ).toBe('PONG');
      client.disconnect();
      await once(client, 'end');
      await delay(200);
      expect(client.status).toBe('end');
    } finally {
      await sentinel.end();
      await master.close();
    }
  });

  it('log in to sentinels that want a password of their own', async () => {
    const master = await startRedis();
    const sentinel = await startSentinel(master.port, ['requirepass hunter2sentinel']);
    const folder = mkdtempSync(join(tmpdir(), 'scanmux-secret-'));
    writeFileSync(join(folder, 'password'), 'hunter2sentinel');
    try {
      const url = `redis+sentinel://127.0.0.1:${sentinel.port}/scans`;
      const client = await connect({ url, sentinelPasswordFile: join(folder, 'password') });
      expect(await client.ping()).toBe('PONG');
      const refused = await refusal({ url });
      expect(refused).toBeInstanceOf(Error);
    } finally {
      rmSync(folder, { recursive: true });
      await sentinel.end();
      await master.close();
    }
  });

  it('say so when no sentinel answers, or none knows the master', async () => {
    const nobody = await freePort();
    expect(await refusal({ url: `redis+sentinel://127.0.0.1:${nobody}/scans` })).toMatchObject({
      code: 'queue_unavailable',
    });
    const sentinel = await startSentinel(nobody);
    expect(await refusal({ url: `redis+sentinel://127.0.0.1:${sentinel.port}/other` })).toMatchObject({
      code: 'queue_unavailable',
    });
    await sentinel.end();
  });

  it('find the node of a cluster that holds the keys, from any of its nodes', async () => {
    const cluster = await startCluster();
    try {
      for (const port of cluster.ports) {
        const client = await connect({ url: `redis://127.0.0.1:${port}`, cluster: true });
        const script = "redis.call('INCR', KEYS[1]) return redis.call('INCR', KEYS[2])";
        expect(await client.eval(script, 2, '{scanmux}:a', '{scanmux}:b')).toBe(cluster.ports.indexOf(port) + 1);
      }
      const all = cluster.ports.map((port) => `127.0.0.1:${port}`).join(',');
      const client = await connect({ url: `redis://${all}`, cluster: true });
      expect(await client.get('{scanmux}:a')).toBe('3');
      for (const server of cluster.servers) await server.kill('SIGKILL');
      await expect(client.get('{scanmux}:a')).rejects.toThrow();
      for (const server of cluster.servers) await server.restart();
      expect(
        await eventually(
          () => client.get('{scanmux}:a'),
          () => true,
        ),
      ).toBe('3');
    } finally {
      await cluster.close();
    }
  }, 90_000);
});
