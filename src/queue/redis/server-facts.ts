import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './connection-watch.ts';

/** What one server says of itself. Undefined: it does not let us ask. */
export interface ServerFacts {
  readonly product: 'Redis' | 'Valkey';
  readonly version: string;
  readonly mode: string | undefined;
  readonly role: 'master' | 'replica' | undefined;
  readonly replicas: number | undefined;
  /** Replicas that must have a write before the master takes another. */
  readonly minReplicas: number | undefined;
  readonly appendOnly: boolean | undefined;
  readonly appendFsync: string | undefined;
  readonly evictionPolicy: string | undefined;
  /** The last write to the append-only file failed: its disk is full or broken. */
  readonly isAofFailing: boolean;
  /** A write can be waited for until it is on the disk. */
  readonly hasWaitAof: boolean;
}

/** Every server that may hold our keys: of a cluster all masters, because slots move. @throws what Redis says */
export async function readServerFacts(client: RedisClient): Promise<readonly ServerFacts[]> {
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  return await Promise.all(servers.map(factsOf));
}

async function factsOf(server: Redis): Promise<ServerFacts> {
  const [info, config, hasWaitAof] = await Promise.all([infoOf(server), configOf(server), canWaitAof(server)]);
  const valkey = info.get('valkey_version');
  return {
    product: valkey === undefined ? 'Redis' : 'Valkey',
    version: valkey ?? info.get('redis_version') ?? '',
    mode: info.get('server_mode') ?? info.get('redis_mode'),
    role: roleOf(info.get('role')),
    replicas: numberOf(info.get('connected_slaves')),
    minReplicas: numberOf(config.get('min-replicas-to-write')),
    appendOnly: flagOf(info.get('aof_enabled')) ?? flagOf(config.get('appendonly')),
    appendFsync: config.get('appendfsync'),
    evictionPolicy: info.get('maxmemory_policy') ?? config.get('maxmemory-policy'),
    isAofFailing: info.get('aof_last_write_status') === 'err',
    hasWaitAof,
  };
}

const roleOf = (role: string | undefined): ServerFacts['role'] =>
  role === undefined ? undefined : role === 'master' ? 'master' : 'replica';

const flagOf = (text: string | undefined): boolean | undefined =>
  text === undefined ? undefined : text === '1' || text === 'yes';

const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

/** Sections as `key:value` lines. @throws what Redis says: without INFO nothing can be told */
async function infoOf(server: Redis): Promise<ReadonlyMap<string, string>> {
  const lines = (await server.info()).split('\r\n');
  return new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : [];
    }),
  );
}

const WANTED = ['appendonly', 'appendfsync', 'maxmemory-policy', 'min-replicas-to-write'];

/** Empty where CONFIG is forbidden or renamed, as hosted servers do. */
async function configOf(server: Redis): Promise<ReadonlyMap<string, string>> {
  const answers = await Promise.all(WANTED.map((name) => configValue(server, name)));
  return new Map(answers.flatMap((answer) => (answer ? [answer] : [])));
}

async function configValue(server: Redis, name: string): Promise<readonly [string, string] | undefined> {
  try {
    const answer: unknown = await server.config('GET', name);
    const value: unknown = Array.isArray(answer) ? answer[1] : undefined;
    return typeof value === 'string' ? [name, value] : undefined;
  } catch {
    return undefined;
  }
}

/** Asked for no copy at all it answers at once, or says that it is not known or not allowed. */
async function canWaitAof(server: Redis): Promise<boolean> {
  try {
    await server.call('WAITAOF', '0', '0', '1');
    return true;
  } catch {
    return false;
  }
}
