import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../platform/log.ts';
import type { Scanner } from '../scanners/scanner.ts';
import type { Entry } from './snapshot.ts';

/** A claim may have been made on a scanner just before a reload took it away: its run begins within this time. */
const LAST_RUN_BEGINS_MS = 5 * 60_000;
/** A process that ends does not wait longer for scanners to let go. */
const CLOSE_MS = 3_000;

/** Lets scanners go that are in force no more, once their last run has ended. */
export interface Retirement {
  /** Of a reload. */
  replaced(before: readonly Entry[], after: readonly Entry[]): void;
  /** Of the end of the process. */
  all(entries: readonly Entry[]): Promise<void>;
}

export function createRetirement(log: Log): Retirement {
  const leaving = new Set<Scanner>();
  const close = async (scanner: Scanner): Promise<void> => {
    leaving.delete(scanner);
    try {
      await scanner.close?.();
    } catch (error) {
      log.warn({ err: error }, 'A scanner could not be closed.');
    }
  };
  return {
    replaced(before, after) {
      const kept = new Set(after.map(({ watched }) => watched.scanner));
      for (const { watched } of before) {
        const { scanner } = watched;
        if (kept.has(scanner) || !scanner.close) continue;
        leaving.add(scanner);
        setTimeout(() => void close(scanner), LAST_RUN_BEGINS_MS).unref();
      }
    },
    async all(entries) {
      const scanners = new Set([...leaving, ...entries.map(({ watched }) => watched.scanner)]);
      const over = new AbortController();
      const closed = Promise.all([...scanners].map(close)).then(() => over.abort());
      await Promise.race([closed, delay(CLOSE_MS, undefined, { signal: over.signal }).catch(() => undefined)]);
    },
  };
}
