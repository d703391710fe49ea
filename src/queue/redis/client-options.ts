import type { RedisOptions } from 'ioredis';

/** `commands`: everything that is asked and written. `messages`: the one connection of a process that only listens. */
export type Purpose = 'commands' | 'messages';

/** Everything a caller of the queue waits for one answer, tries again included. */
export const LIMIT_MS = 2_000;
const RECONNECT_AT_LEAST_MS = 50;
const RECONNECT_AT_MOST_MS = 1_000;

/** Wait before the next try to connect, in milliseconds. Many processes come back after one outage: they spread. */
export const reconnectDelayMs = (times: number): number =>
  Math.min(RECONNECT_AT_MOST_MS, RECONNECT_AT_LEAST_MS * times) * (0.75 + Math.random() / 2);

/**
 * What every connection of the queue is opened with, whatever server it goes to. The store decides itself what is sent
 * again after a lost connection, because only scripts that know their own request may be; so nothing is queued or
 * repeated below it.
 */
export const clientOptions = (purpose: Purpose) => {
  return {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // ioredis would do it without looking at how it ends; messages.ts does it.
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: LIMIT_MS,
    // A peer that vanished without a word is noticed by its silence, not by TCP a quarter of an hour later.
    socketTimeout: 2.5 * LIMIT_MS,
    retryStrategy: reconnectDelayMs,
    // A replica that was promoted or demoted under us: the connection has to find the new master.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    connectionName: `scanmux-${purpose}`,
    keepAlive: 5_000,
  } satisfies RedisOptions;
};
