import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { silentLog } from '../../src/platform/log.ts';
import { withConnection } from '../../src/queue/redis/connection.ts';
import { redisTarget } from '../../src/queue/redis/connection-target.ts';
import { judgeServer, preflight } from '../../src/queue/redis/preflight.ts';
import { readServerFacts, type ServerFacts } from '../../src/queue/redis/server-facts.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';

const SAFE: ServerFacts = {
  product: 'Redis',
  version: '7.0.15',
  mode: 'standalone',
  role: 'master',
  replicas: 0,
  minReplicas: 0,
  appendOnly: true,
  appendFsync: 'always',
  evictionPolicy: 'noeviction',
  isAofFailing: false,
  hasWaitAof: false,
};

const saidOf = (over: Partial<ServerFacts>): string =>
  judgeServer({ ...SAFE, ...over })
    .problems.map(({ said }) => said)
    .join('; ');

describe('the judgement of a Redis', () => {
  it('finds nothing wrong with one that syncs every write and throws nothing away', () => {
    expect(judgeServer(SAFE)).toEqual({ problems: [], notes: [], durability: 'always' });
  });

  it.each([
    [{ appendOnly: false }, /no append-only file/],
    [{ appendFsync: 'everysec' }, /appendfsync is everysec/],
    [{ appendFsync: 'no' }, /appendfsync is no/],
    [{ appendFsync: undefined }, /does not say what appendfsync is/],
    [{ evictionPolicy: 'allkeys-lru' }, /maxmemory-policy is allkeys-lru/],
    [{ evictionPolicy: 'volatile-ttl' }, /maxmemory-policy is volatile-ttl/],
    [{ role: 'replica' as const }, /replica/],
    [{ mode: 'sentinel' }, /Sentinel/],
    [{ version: '6.2.14' }, /too old/],
    [{ isAofFailing: true }, /cannot write/],
  ] satisfies [Partial<ServerFacts>, RegExp][])('refuses %j', (over, said) => {
    expect(saidOf(over)).toMatch(said);
  });

  it('is content with everysec where a write can be waited for, and then says so', () => {
    const waited = judgeServer({ ...SAFE, version: '7.2.4', appendFsync: 'everysec', hasWaitAof: true });
    expect(waited).toMatchObject({ problems: [], durability: 'waitaof' });
    expect(judgeServer({ ...SAFE, product: 'Valkey', version: '8.0.1' }).problems).toEqual([]);
  });

  it('says what it could not look at, and what a failover can lose', () => {
    const { problems, notes } = judgeServer({ ...SAFE, evictionPolicy: undefined, replicas: 2 });
    expect(problems).toEqual([]);
    expect(notes.join()).toMatch(/maxmemory-policy could not be checked.*failover can lose/s);
    expect(judgeServer({ ...SAFE, replicas: 2, minReplicas: 1 }).notes).toEqual([]);
  });

  it('calls nothing safe that has neither a file, nor syncs, nor waits; each problem has a fix', () => {
    const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const facts = fc.record({
      ...Object.fromEntries(Object.keys(SAFE).map((key) => [key, fc.constant(undefined)])),
      product: fc.constantFrom('Redis' as const, 'Valkey' as const),
      version: fc.constantFrom('7.0.0', '7.0.15', '7.2.0', '8.0.0'),
      mode: maybe(fc.constantFrom('standalone', 'cluster')),
      role: maybe(fc.constantFrom('master' as const, 'replica' as const)),
      replicas: maybe(fc.nat(3)),
      minReplicas: maybe(fc.nat(3)),
      appendOnly: maybe(fc.boolean()),
      appendFsync: maybe(fc.constantFrom('always', 'everysec', 'no')),
      evictionPolicy: maybe(fc.constantFrom('noeviction', 'allkeys-lru')),
      isAofFailing: fc.boolean(),
      hasWaitAof: fc.boolean(),
    });
    fc.assert(
      fc.property(facts, (made) => {
        const { problems, durability } = judgeServer(made);
        if (problems.length === 0) {
          expect(made.appendOnly).toBe(true);
          expect(made.appendFsync === 'always' || made.hasWaitAof).toBe(true);
          expect(durability).not.toBe('none');
        }
        for (const { said, fix } of problems) expect([said, fix].every((text) => text.length > 5)).toBe(true);
      }),
    );
  });
});

describe('the preflight of a real Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.close());

  const check = async (settings: Readonly<Record<string, string>>, allowVolatile = false, user = '') => {
    const admin = new Redis(server.port);
    for (const [name, value] of Object.entries(settings)) await admin.config('SET', name, value);
    const target = redisTarget({ url: server.url.replace('://', `://${user}`) });
    try {
      return await withConnection(target, (client) =>
        preflight(client, { allowVolatile, log: silentLog, shown: 'here' }),
      );
    } finally {
      await admin.config('SET', 'appendonly', 'yes', 'appendfsync', 'always', 'maxmemory-policy', 'noeviction');
      admin.disconnect();
    }
  };

  it('lets a durable one through and knows its version', async () => {
    const report = await check({});
    expect(report).toMatchObject({ problems: [], notes: [], durability: 'always', servers: 1 });
    expect(report.version).toMatch(/^(Redis|Valkey) \d+\.\d+/);
  });

  it.each([
    ['appendonly', 'no', /append-only file.*CONFIG SET/s],
    ['appendfsync', 'everysec', /everysec.*appendfsync always/s],
    ['maxmemory-policy', 'allkeys-lru', /allkeys-lru.*noeviction/s],
  ])('refuses %s %s with the fix, unless that is allowed', async (name, value, said) => {
    const facts = await readFactsOf(server);
    const isMended = name === 'appendfsync' && facts.hasWaitAof;
    if (!isMended) {
      const refused = await check({ [name]: value }).catch((error: unknown) => error);
      expect(refused).toMatchObject({
        code: 'storage_unusable',
        hint: expect.stringContaining('allow_volatile_redis'),
      });
      expect(refused instanceof AppError ? `${refused.message} ${refused.hint}` : '').toMatch(said);
    }
    await expect(check({ [name]: value }, true)).resolves.toMatchObject({ servers: 1 });
  });

  it('refuses a replica whatever is allowed', async () => {
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(server.port)] });
    const refused = withConnection(redisTarget({ url: replica.url }), (client) =>
      preflight(client, { allowVolatile: true, log: silentLog, shown: 'here' }),
    );
    await expect(refused).rejects.toMatchObject({
      code: 'storage_unusable',
      hint: expect.not.stringContaining('allow_'),
    });
    await replica.close();
  });

  it('says what it was not allowed to look at', async () => {
    const admin = new Redis(server.port);
    await admin.call('ACL', 'SETUSER', 'half', 'on', '>pw', '~*', '&*', '+@all', '-config');
    const refused = await check({}, false, 'half:pw@').catch((error: unknown) => error);
    const { hasWaitAof } = await readFactsOf(server);
    if (!hasWaitAof) {
      expect(refused).toMatchObject({
        code: 'storage_unusable',
        message: expect.stringContaining('does not say what appendfsync'),
      });
    }
    expect(await check({}, true, 'half:pw@')).toMatchObject({ servers: 1 });
    admin.disconnect();
  });
});

async function readFactsOf(server: RedisServer): Promise<ServerFacts> {
  const [facts] = await withConnection(redisTarget({ url: server.url }), readServerFacts);
  if (!facts) throw new Error('no facts');
  return facts;
}
