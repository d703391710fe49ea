import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../model/errors.ts';
import type { Barrier } from './barrier.ts';
import { LIMIT_MS } from './client-options.ts';
import type { ConnectionWatch, RedisClient } from './connection-watch.ts';
import { isPassing, isReply, messageOf, queueError } from './errors.ts';
import type { Script } from './script.ts';

const AGAIN_AFTER_MS = 25;

/**
 * @returns what runs a script with its one key and its arguments, in bounded time: a lost connection and a server that
 *   is coming up are waited for, and the step is sent again, as long as the limit allows.
 */
export function createRunner(
  client: RedisClient,
  connection: ConnectionWatch,
  barrier: Barrier | undefined,
): (script: Script, args: readonly string[]) => Promise<unknown> {
  const trial = (script: Script, args: readonly string[]): Promise<unknown> =>
    barrier !== undefined && script.kind !== 'read'
      ? barrier.write((on) => send(on, script, args))
      : send(client, script, args);

  return async (script, args) => {
    const until = performance.now() + LIMIT_MS;
    for (;;) {
      if (!(await connection.ready(until - performance.now()))) throw queueError(connection.problem());
      try {
        return await within(trial(script, args), until - performance.now());
      } catch (error) {
        const mayPass = !isReply(error) || isPassing(error);
        const isLate = performance.now() + AGAIN_AFTER_MS >= until;
        if (!mayPass || isLate || client.status === 'end') throw queueError(error);
      }
      await delay(AGAIN_AFTER_MS);
    }
  };
}

/** By its hash; the text goes over the wire only where the server does not have it. */
async function send(on: RedisClient, script: Script, args: readonly string[]): Promise<unknown> {
  try {
    return await on.evalsha(script.sha, 1, ...args);
  } catch (error) {
    if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
    return await on.eval(script.lua, 1, ...args);
  }
}

/** The answer, or an error when it is not there in time; one that comes later is nobody's. */
async function within<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('queue_unavailable', 'Redis does not answer in time.')), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    answer.catch(() => undefined);
  }
}
