import type { Database } from '../../platform/sqlite.ts';

/** Answers kept by one reader; all are dropped when there are more. */
const MOST_KEPT = 1_000;

/** Reads that are answered from memory until something is committed to the file, by this process or any other. */
export interface Recall {
  /** Call in every transaction of this connection; none of these readers is called before it has ended. */
  changing(): void;
  /** @param read Reads the file alone: no clock, no process, nothing that changes without a commit. */
  of<T>(read: (key: string) => T): (key: string) => T;
}

/** Transactions of every connection of this process: these may come between two reads of one turn of the event loop. */
let transactions = 0;

/** Source: sqlite.org/pragma.html#pragma_data_version; it tells of the commits of every connection but its own. */
export function createRecall(db: Database): Recall {
  const version = db.prepare('PRAGMA data_version');
  let others: unknown;
  let commits = 0;
  let freshAt = -1;
  const now = (): number => {
    if (freshAt === transactions) return commits;
    // Good for all calls that had come in by now: ticks run after their promises and before anything new is read.
    freshAt = transactions;
    process.nextTick(() => {
      freshAt = -1;
    });
    const seen = version.get()?.['data_version'];
    if (seen !== others) commits += 1;
    others = seen;
    return commits;
  };
  return {
    changing() {
      commits += 1;
      transactions += 1;
    },
    of<T>(read: (key: string) => T) {
      const kept = new Map<string, { readonly answer: T }>();
      let keptAt = -1;
      return (key: string) => {
        // Asked before reading: what is committed in between makes the next call read again.
        const asked = now();
        if (asked !== keptAt || kept.size >= MOST_KEPT) kept.clear();
        keptAt = asked;
        const known = kept.get(key) ?? { answer: read(key) };
        kept.set(key, known);
        return known.answer;
      };
    },
  };
}
