import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { AppError } from '../../model/errors.ts';
import { addressOf, parseRedisUrl, shownUrl, type RedisAddress, type RedisUrl } from './connection-url.ts';

/** Where Redis is, as the operator wrote it. */
export interface RedisPlace {
  readonly url: string;
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly cluster?: boolean;
  /** `host:port`; with them the URL's own hosts are not asked. */
  readonly sentinels?: readonly string[];
  readonly masterName?: string;
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPasswordFile?: string | undefined;
  readonly tls?: RedisTls;
}

/** Paths of PEM files. */
export interface RedisTls {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly serverName?: string | undefined;
}

interface Login {
  readonly username?: string;
  readonly password?: string;
}

/** Where Redis is, read and checked. Holds secrets; only `shown` may be shown. */
export interface RedisTarget {
  readonly kind: 'server' | 'cluster' | 'sentinel';
  readonly shown: string;
  readonly addresses: readonly RedisAddress[];
  readonly login: Login;
  readonly sentinelLogin: Login;
  readonly db: number;
  readonly masterName: string;
  readonly tls: ConnectionOptions | undefined;
}

/** Reads the URL and the files that are named beside it. @throws AppError config_invalid, without secrets */
export function redisTarget(place: RedisPlace): RedisTarget {
  const { cluster = false, sentinels = [] } = place;
  const url = parseRedisUrl(place.url);
  const isSentinel = url.kind === 'sentinel' || sentinels.length > 0;
  const addresses = sentinels.length > 0 ? sentinels.map((text) => addressOf(text, 26_379)) : url.addresses;
  const masterName = url.masterName ?? place.masterName ?? 'mymaster';
  const kind = kindOf({ cluster, isSentinel, addresses: addresses.length, db: url.db });
  return {
    kind,
    shown: shownPlace({ ...url, addresses, masterName }, kind),
    addresses,
    login: loginOf(url.username ?? place.username, url.password, place.passwordFile),
    sentinelLogin: loginOf(place.sentinelUsername, undefined, place.sentinelPasswordFile),
    db: url.db,
    masterName,
    tls: url.tls ? tlsOf(place.tls ?? {}) : undefined,
  };
}

function kindOf(said: { cluster: boolean; isSentinel: boolean; addresses: number; db: number }): RedisTarget['kind'] {
  const { cluster, isSentinel, addresses, db } = said;
  if (isSentinel && cluster) throw invalid('redis.cluster and sentinels exclude each other');
  if (isSentinel) return 'sentinel';
  if (cluster && db !== 0) throw invalid('a cluster has only database 0');
  if (cluster) return 'cluster';
  if (addresses === 1) return 'server';
  throw invalid('the URL names several servers; set redis.cluster: true, or name sentinels (redis+sentinel://)');
}

function shownPlace({ masterName, ...url }: RedisUrl, kind: RedisTarget['kind']): string {
  if (kind === 'cluster') return `${shownUrl({ ...url, kind: 'server' })} (cluster)`;
  if (kind === 'server') return shownUrl({ ...url, kind });
  return shownUrl({ ...url, kind, ...(masterName === undefined ? {} : { masterName }) });
}

const invalid = (what: string): AppError =>
  new AppError('config_invalid', `The settings of Redis cannot be used: ${what}.`, {
    hint: 'Operator: correct redis in scanmux.yaml or REDIS_URL; docs/operations.md has examples.',
  });

function loginOf(username: string | undefined, inUrl: string | undefined, file: string | undefined): Login {
  const password = inUrl ?? (file === undefined ? undefined : firstLine(file));
  if (username !== undefined && password === undefined) throw invalid('there is a user, but no password');
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

function firstLine(file: string): string {
  const [line = ''] = contentOf(file).split(/\r?\n/);
  if (line === '') throw invalid(`the first line of ${file} is empty`);
  return line;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError('config_invalid', `${file} cannot be read.`, {
      cause,
      hint: 'Operator: correct the path in the redis section of the settings, or the rights of the file.',
    });
  }
}

function tlsOf({ caFile, certFile, keyFile, serverName }: RedisTls): ConnectionOptions {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw invalid('redis.tls.cert_file and redis.tls.key_file belong together');
  }
  return {
    ...(caFile === undefined ? {} : { ca: contentOf(caFile) }),
    ...(certFile === undefined ? {} : { cert: contentOf(certFile) }),
    ...(keyFile === undefined ? {} : { key: contentOf(keyFile) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}
