import type { Cluster, Redis } from 'ioredis';
import type { Log } from '../../platform/log.ts';

export type RedisClient = Redis | Cluster;

export interface ConnectionWatch {
  /** True once commands can be sent; false when that has not come within the time given, or never will. */
  ready(withinMs: number): Promise<boolean>;
  /** Why it is not ready, as far as that is known. */
  problem(): unknown;
}

/**
 * Hears the errors of a connection, which would end the process otherwise, and tells of an outage once when it begins
 * and once when it is over, however many tries to connect lie between.
 */
export function watchConnection(client: RedisClient, name: string, log: Log | undefined): ConnectionWatch {
  const waiting = new Set<(isReady: boolean) => void>();
  const tellAll = (isReady: boolean): void => {
    for (const done of waiting) done(isReady);
  };
  let isOut = false;
  let problem: unknown;
  client.on('error', (error: unknown) => {
    problem = error;
    if (isOut) return;
    isOut = true;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    log?.warn({ connection: name, code }, 'Redis is away; trying again until it is back');
  });
  client.on('ready', () => {
    if (isOut) log?.info({ connection: name }, 'Redis is back');
    isOut = false;
    problem = undefined;
    tellAll(true);
  });
  client.on('end', () => tellAll(false));
  return {
    problem: () => problem,
    ready(withinMs) {
      if (client.status === 'ready') return Promise.resolve(true);
      if (client.status === 'end' || withinMs <= 0) return Promise.resolve(false);
      return new Promise((resolve) => {
        const done = (isReady: boolean): void => {
          clearTimeout(timer);
          waiting.delete(done);
          resolve(isReady);
        };
        const timer = setTimeout(() => done(false), withinMs);
        waiting.add(done);
      });
    },
  };
}
