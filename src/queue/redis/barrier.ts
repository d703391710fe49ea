import { AppError } from '../../model/errors.ts';
import type { Log } from '../../platform/log.ts';
import { LIMIT_MS, type Purpose } from './client-options.ts';
import { watchConnection, type RedisClient } from './connection-watch.ts';

/**
 * `reply`: the server syncs before it answers (`appendfsync always`), or the operator accepted less. `waitaof`: it
 * answers first and is asked afterwards whether the write is on its disk.
 */
export type Durability = 'reply' | 'waitaof';

export interface Barrier {
  /** Runs `write` on a connection and resolves once the server says that its disk has it. */
  write<T>(write: (on: RedisClient) => Promise<T>): Promise<T>;
  close(): void;
}

/**
 * WAITAOF holds up its whole connection, and speaks of all that the connection has written. So writes go over
 * connections of their own, which take turns: what comes while one waits for the disk is sent together on another, and
 * one answer of the disk is good for all of it.
 * Source: redis.io/docs/latest/commands/waitaof
 */
const LANES = 4;

export function createBarrier(
  durability: Durability,
  prefix: string,
  connect: (purpose: Purpose) => RedisClient,
  log: Log | undefined,
): Barrier | undefined {
  if (durability === 'reply') return undefined;
  const lanes = Array.from({ length: LANES }, (_, n) => createLane(connect('commands'), prefix, `writes-${n}`, log));
  return {
    write: (write) => (lanes.find((lane) => lane.isFree()) ?? shortest(lanes)).write(write),
    close() {
      for (const lane of lanes) lane.close();
    },
  };
}

interface Lane extends Barrier {
  isFree(): boolean;
  waiting(): number;
}

function createLane(client: RedisClient, prefix: string, name: string, log: Log | undefined): Lane {
  const connection = watchConnection(client, name, log);
  let onDisk: Promise<void> | undefined;
  let waiting = 0;

  /** One for all writes that were sent on this connection before it. */
  const sync = (): Promise<void> => {
    onDisk ??= Promise.resolve().then(async () => {
      onDisk = undefined;
      // A step that was sent again over a new connection wrote nothing over it, and WAITAOF would have nothing to wait for.
      await client.incr(`${prefix}synced`);
      const [local] = numbers(await client.call('WAITAOF', '1', '0', String(LIMIT_MS)));
      if (local !== 1) throw new AppError('queue_unavailable', 'Redis did not write to its disk in time.');
    });
    return onDisk;
  };
  return {
    isFree: () => waiting === 0 && client.status === 'ready',
    waiting: () => waiting,
    async write(write) {
      waiting += 1;
      try {
        await connection.ready(LIMIT_MS);
        const written = await write(client);
        await sync();
        return written;
      } finally {
        waiting -= 1;
      }
    },
    close: () => client.disconnect(),
  };
}

const shortest = (lanes: readonly Lane[]): Lane => {
  const [first] = lanes.toSorted((a, b) => a.waiting() - b.waiting());
  if (!first) throw new Error('a barrier has lanes');
  return first;
};

const numbers = (reply: unknown): readonly unknown[] => (Array.isArray(reply) ? reply : []);
