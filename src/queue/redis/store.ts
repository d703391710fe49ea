import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { identityText, isAlive as processIsAlive, ownIdentity } from '../../platform/process-identity.ts';
import { createJumps, type Jump } from '../jumps.ts';
import { createWatch, type Watch } from '../watch.ts';
import { createBarrier, type Durability } from './barrier.ts';
import type { Purpose } from './client-options.ts';
import { watchConnection, type RedisClient } from './connection-watch.ts';
import { createMessages, type Heard } from './messages.ts';
import { createRunner } from './run.ts';
import type { Script } from './script.ts';
import { OPEN } from './scripts/open.ts';

export interface RedisQueueSettings {
  /** How long an idempotency key is kept, by the wall clock. */
  readonly idempotencyHours: number;
  /** A scan that waited this long fails. */
  readonly queuedExpiryHours: number;
  /** A worker whose heartbeat stood still this long under another's eyes has lost its claims. Default 15,000. */
  readonly leaseMs?: number;
  /** A scan whose worker died more often than this fails. Default 10. */
  readonly maxLostLeases?: number;
  /** How long an adoption waits for its own instance to come back before any other may have it. Default 15 minutes. */
  readonly adoptPatienceMs?: number;
}

export interface RedisQueueDeps {
  /** Opens a connection with `clientOptions(purpose)`. The store closes it. */
  readonly connect: (purpose: Purpose) => RedisClient;
  /** Without braces: `scanmux` makes keys `{scanmux}:...`, which a cluster keeps together. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly settings: RedisQueueSettings;
  /** When a write counts as kept; see preflight.ts. */
  readonly durability: Durability;
  /** False only of a process that is known to be dead; of those of other machines nothing is known. */
  readonly isAlive?: (ownerText: string) => boolean;
  readonly log?: Log;
}

/** A text argument goes to a script as it is, a number in full. */
export type Argument = string | number;

/** What the parts of the queue share. */
export interface RedisStore {
  /** `{prefix}:`; every key and channel begins with it. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly settings: Required<RedisQueueSettings>;
  readonly isAlive: (ownerText: string) => boolean;
  readonly watch: Watch;
  /** The leap of the wall clock since the last call. */
  readonly jumped: () => Jump | undefined;
  /**
   * Runs one step and returns its reply (texts, numbers, null and lists of those). What a script of kind `take` or
   * `keep` wrote is durable once this resolves. It comes back within `LIMIT_MS`; until then a lost connection is waited
   * for and the step is sent again. @throws AppError queue_unavailable, storage_full, data_too_new
   */
  run(script: Script, ...args: readonly Argument[]): Promise<unknown>;
  /** Messages that scripts publish on `<prefix><channel>`. `heard(undefined)`: some may have been missed. */
  listen(channel: string, heard: Heard): () => void;
  /** Messages were missed although the connection looked well: opens another. */
  renewMessages(): void;
  close(): Promise<void>;
}

/** Processes of this machine (and container) can be looked at; of all others only their heartbeat tells. */
function mayLive(text: string): boolean {
  const own = identityText(ownIdentity());
  const isOfThisMachine = text.split('|')[0] === own.split('|')[0];
  return !isOfThisMachine || text === own || text.startsWith(`${own}|`) || processIsAlive(text);
}

/** @throws AppError queue_unavailable, data_too_new */
export async function openRedisStore(deps: RedisQueueDeps): Promise<RedisStore> {
  const { clock, log } = deps;
  const prefix = `{${deps.prefix}}:`;
  const settings = { leaseMs: 15_000, maxLostLeases: 10, adoptPatienceMs: 900_000, ...deps.settings };
  const client = deps.connect('commands');
  const connection = watchConnection(client, 'commands', log);
  const messages = createMessages(deps.connect, log);
  const barrier = createBarrier(deps.durability, prefix, deps.connect, log);
  const run = createRunner(client, connection, barrier);
  const store: RedisStore = {
    prefix,
    clock,
    settings,
    isAlive: deps.isAlive ?? mayLive,
    watch: createWatch(clock, settings.leaseMs),
    jumped: createJumps(clock),
    run: (script, ...args) => run(script, [`${prefix}meta`, String(clock.now()), ...args.map(String)]),
    listen: (channel, heard) => messages.listen(`${prefix}${channel}`, heard),
    renewMessages: () => messages.renew(),
    async close() {
      messages.close();
      barrier?.close();
      client.disconnect();
    },
  };
  try {
    await store.run(OPEN);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}
