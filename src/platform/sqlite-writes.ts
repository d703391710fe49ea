import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { isBusy } from './sqlite-failure.ts';

/** The pause after an attempt that found the lock taken grows up to this, so that one process does not keep asking. */
const LONGEST_PAUSE_MS = 40;
const FIRST_PAUSE_MS = 2;

interface Waiting {
  readonly deadline: number;
  /** Runs the write and settles its promise. @throws the driver's error when the lock is taken. */
  readonly attempt: () => void;
  readonly giveUp: (error: unknown) => void;
}

/** Writes of one connection, of which at most one asks for the lock of the file at a time. */
export type Writes = <T>(write: () => T) => Promise<T>;

/**
 * Each attempt stops the event loop for as long as the driver waits for the lock. With one attempt for all who wait, it
 * is stopped no longer for many than for one.
 * @param fail Turns an error of the driver into ours.
 * @param patienceMs How long a write waits for the lock, from its own call.
 */
export function createWrites(fail: (error: unknown) => unknown, patienceMs: number): Writes {
  const line: Waiting[] = [];

  /** One write after the other; between two of them the event loop gets its turn. */
  const serve = async (): Promise<void> => {
    let pauseMs = FIRST_PAUSE_MS;
    await delay(Math.random() * pauseMs); // whoever starts the line has just found the lock taken
    for (let [first] = line; first; [first] = line) {
      try {
        first.attempt();
        line.shift();
        pauseMs = FIRST_PAUSE_MS;
        await turn();
      } catch (error) {
        const now = performance.now();
        while (line[0] && line[0].deadline < now) line.shift()?.giveUp(fail(error));
        await delay(1 + Math.random() * pauseMs);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
    }
  };

  const standInLine = <T>(write: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      line.push({
        deadline: performance.now() + patienceMs,
        attempt() {
          try {
            resolve(write());
          } catch (error) {
            if (isBusy(error)) throw error;
            reject(fail(error));
          }
        },
        giveUp: reject,
      });
      if (line.length === 1) void serve();
    });

  return async (write) => {
    if (line.length > 0) return await standInLine(write);
    try {
      return write();
    } catch (error) {
      if (!isBusy(error)) throw fail(error);
    }
    return await standInLine(write);
  };
}
