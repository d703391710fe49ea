import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import { AppError } from '../../model/errors.ts';
import { clientOptions, LIMIT_MS, reconnectDelayMs, type Purpose } from './client-options.ts';
import { notConnected, plainFault } from './connection-faults.ts';
import type { RedisTarget } from './connection-target.ts';
import type { RedisClient } from './connection-watch.ts';

/** Replies keep the shapes of RESP2. */
type Options = Omit<RedisOptions, 'replyMapping'>;

/**
 * Begins to connect to a server (also one that sentinels name) or to a cluster; both run the same commands. It comes back
 * by itself after every outage. The caller listens for `error`, without which an outage would end the process.
 */
export function openConnection(target: RedisTarget, purpose: Purpose): RedisClient {
  if (target.kind === 'cluster') return clusterOf(target, purpose);
  const { addresses, login, db, tls } = target;
  const options: Options = { ...clientOptions(purpose), ...login, db, ...(tls ? { tls } : {}) };
  if (target.kind === 'sentinel') return lasting(new Redis({ ...options, ...sentinelOptions(target) }));
  const [first] = addresses;
  if (!first) throw new AppError('config_invalid', 'The Redis URL names no host.');
  return new Redis({ ...options, ...first });
}

/**
 * ioredis 6.0.0 gives a client up for good when it hears of a failover while it asks the sentinels for the master:
 * SentinelConnector.connect then throws, and Redis.connect has no way back from that. This one begins anew.
 */
function lasting(client: Redis): Redis {
  let isWanted = true;
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect) => {
    if (reconnect !== true) isWanted = false;
    disconnect(reconnect);
  };
  client.on('end', () => {
    const again = setTimeout(() => {
      if (isWanted) client.connect().catch(() => undefined);
    }, reconnectDelayMs(1));
    again.unref();
  });
  return client;
}

function sentinelOptions({ addresses, masterName, sentinelLogin, tls }: RedisTarget): Options {
  const { username, password } = sentinelLogin;
  return {
    sentinels: addresses.map((address) => ({ ...address })),
    name: masterName,
    role: 'master',
    // A master that lives goes on taking writes for seconds after another was made master; they would be lost.
    failoverDetector: true,
    sentinelCommandTimeout: LIMIT_MS,
    sentinelRetryStrategy: reconnectDelayMs,
    sentinelReconnectStrategy: reconnectDelayMs,
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: tls } : {}),
  };
}

const keepName: NonNullable<ClusterOptions['dnsLookup']> = (address, done) => done(null, address);

function clusterOf({ addresses, login, tls }: RedisTarget, purpose: Purpose): Cluster {
  const { retryStrategy: _, enableOfflineQueue, ...shared } = clientOptions(purpose);
  return new Cluster(
    addresses.map((address) => ({ ...address })),
    {
      enableOfflineQueue: enableOfflineQueue ?? false,
      clusterRetryStrategy: reconnectDelayMs,
      clusterNodeRetryStrategy: reconnectDelayMs,
      slotsRefreshTimeout: LIMIT_MS,
      // A command whose connection broke may have been run: what to do about it is the queue's business.
      retryDelayOnFailover: 0,
      // Names are kept: certificates are made for names.
      ...(tls ? { dnsLookup: keepName } : {}),
      redisOptions: { ...shared, ...login, ...(tls ? { tls } : {}) },
    },
  );
}

/**
 * Opens a connection, waits until commands can be run on it, does something with it and closes it.
 * @throws AppError queue_unavailable within two seconds, config_invalid when Redis refuses the login or the certificate
 */
export async function withConnection<T>(target: RedisTarget, body: (client: RedisClient) => Promise<T>): Promise<T> {
  const client = openConnection(target, 'commands');
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      let last: Error | undefined;
      timer = setTimeout(() => reject(notConnected(last)), LIMIT_MS);
      client.once('ready', () => void body(client).then(resolve, reject));
      client.on('error', (error: unknown) => {
        last = plainFault(error);
        const told = notConnected(last);
        // Waiting mends no wrong password; a server that starts or loads is waited for.
        if (told.code === 'config_invalid') reject(told);
      });
    });
  } finally {
    clearTimeout(timer);
    client.disconnect();
  }
}
