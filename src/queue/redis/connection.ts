import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import { AppError } from '../../model/errors.ts';
import type { RedisTarget } from './connection-target.ts';
import { notConnected, plainFault } from './connection-faults.ts';

/** A connection to a server (also one that sentinels name), or to a cluster. Both run the same commands. */
export type RedisClient = Redis | Cluster;

/** Everything waits at most this long in all; then the caller gets `queue_unavailable`. */
const PATIENCE_MS = 2_000;
const SLOWEST_RETRY_MS = 1_000;

/** Replies keep the shapes of RESP2. */
type Options = Omit<RedisOptions, 'replyMapping'>;

export interface Watcher {
  /** Once per outage. The error holds no secret. */
  readonly onDown?: (error: Error) => void;
  readonly onUp?: () => void;
}

/**
 * Opens one connection and waits until commands can be run on it. It then comes back by itself after every outage;
 * meanwhile commands fail at once, and none is sent twice.
 * @throws AppError queue_unavailable within two seconds, config_invalid when Redis refuses the login or the certificate
 */
export async function connectRedis(target: RedisTarget, watcher: Watcher = {}): Promise<RedisClient> {
  const client = target.kind === 'cluster' ? clusterOf(target) : serverOf(target);
  const faults = watch(client, watcher);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE_MS);
  try {
    await ready(client, faults, late.signal);
    return client;
  } catch (error) {
    client.disconnect();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Errors of a connection, of which ioredis makes one per attempt. */
interface Faults {
  last(): Error | undefined;
  /** Called with every error until it is up. */
  listen(heard: (error: Error) => void): void;
}

/** Without a listener for `error` every outage would end the process. */
function watch(client: RedisClient, { onDown, onUp }: Watcher): Faults {
  let [isUp, isTold] = [false, false];
  let last: Error | undefined;
  const listeners: ((error: Error) => void)[] = [];
  const down = (fault: Error): void => {
    last = fault;
    for (const heard of listeners) heard(fault);
    if (!isUp || isTold) return;
    isTold = true;
    onDown?.(fault);
  };
  client.on('error', (error: unknown) => down(plainFault(error)));
  client.on('node error', (error: unknown) => down(plainFault(error)));
  client.on('close', () => down(last ?? new Error('The connection to Redis was closed.')));
  client.on('ready', () => {
    if (isTold) onUp?.();
    [isUp, isTold, last] = [true, false, undefined];
    listeners.length = 0;
  });
  return { last: () => last, listen: (heard) => void listeners.push(heard) };
}

function ready(client: RedisClient, faults: Faults, late: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('ready', () => resolve());
    late.addEventListener('abort', () => reject(notConnected(faults.last())), { once: true });
    // Waiting mends no wrong password; a server that starts or loads is waited for.
    faults.listen((fault) => {
      const told = notConnected(fault);
      if (told.code === 'config_invalid') reject(told);
    });
    client.connect().catch(() => undefined);
  });
}

/** Exponential, up to a second, with a random part so that many processes do not come back at once. */
const retryDelayMs = (attempt: number): number =>
  Math.min(50 * 2 ** Math.min(attempt, 10), SLOWEST_RETRY_MS) * (0.75 + Math.random() / 4);

/** What every kind of connection has in common. */
const COMMON = {
  lazyConnect: true,
  connectTimeout: PATIENCE_MS,
  commandTimeout: PATIENCE_MS,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  connectionName: 'scanmux',
  // A master that became a replica: ask again who the master is. What was refused is not sent again.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
} as const satisfies Options;

function serverOf(target: RedisTarget): Redis {
  const { addresses, login, db, tls } = target;
  const common: Options = {
    ...COMMON,
    ...login,
    db,
    enableOfflineQueue: false,
    retryStrategy: retryDelayMs,
    ...(tls ? { tls } : {}),
  };
  if (target.kind === 'sentinel') return new Redis({ ...common, ...sentinelOptions(target) });
  const [first] = addresses;
  if (!first) throw new AppError('config_invalid', 'The Redis URL names no host.');
  return new Redis({ ...common, ...first });
}

function sentinelOptions({ addresses, masterName, sentinelLogin, tls }: RedisTarget): Options {
  const { username, password } = sentinelLogin;
  return {
    sentinels: addresses.map((address) => ({ ...address })),
    name: masterName,
    role: 'master',
    failoverDetector: true,
    sentinelCommandTimeout: PATIENCE_MS,
    sentinelRetryStrategy: retryDelayMs,
    sentinelReconnectStrategy: retryDelayMs,
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: tls } : {}),
  };
}

const keepName: NonNullable<ClusterOptions['dnsLookup']> = (address, done) => done(null, address);

function clusterOf({ addresses, login, tls }: RedisTarget): Cluster {
  const options = {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryDelayMs,
    clusterNodeRetryStrategy: retryDelayMs,
    slotsRefreshTimeout: PATIENCE_MS,
    // A command whose connection broke may have been run: what to do about it is the queue's business.
    retryDelayOnFailover: 0,
    // Names are kept: certificates are made for names.
    ...(tls ? { dnsLookup: keepName } : {}),
    redisOptions: { ...COMMON, ...login, ...(tls ? { tls } : {}) },
  };
  return new Cluster(
    addresses.map((address) => ({ ...address })),
    options,
  );
}
