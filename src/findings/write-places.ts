import { fullLook, type Coverage } from '../model/coverage.ts';
import type { Authentication } from '../model/scan.ts';
import type { Database } from '../platform/sqlite.ts';
import type { Heard } from './hear.ts';
import type { Turns } from './turns.ts';

/** What became of all places. */
export interface PlacesWritten {
  readonly coverage: Coverage;
  /** Undefined when no login was tried anywhere. */
  readonly authentication: Authentication | undefined;
}

/** Writes every requested place, with the addresses it was pinned to, and counts them. */
export async function writePlaces(
  db: Database,
  { places, lookedFor, notLookedFor }: Pick<Heard, 'places' | 'lookedFor' | 'notLookedFor'>,
  turns: Turns,
): Promise<PlacesWritten> {
  const insert = db.prepare('INSERT OR IGNORE INTO place VALUES (?, ?, ?, ?)');
  let requested = 0;
  const counts = { tested: 0, partial: 0, unreachable: 0, not_tested: 0 };
  const logins = { success: 0, partial: 0, failed: 0 };
  for (const { place, status, reason, login } of places.settled()) {
    requested += 1;
    counts[fullLook({ status, ...(login === undefined ? {} : { login }) })] += 1;
    if (login !== undefined) logins[login] += 1;
    insert.run(place, status, reason ?? null, login ?? null);
    await turns.ifDue();
  }
  const pin = db.prepare('INSERT OR IGNORE INTO pinned VALUES (?, ?)');
  for (const { place, address } of places.pinned()) {
    pin.run(place, address);
    await turns.ifDue();
  }
  return {
    coverage: {
      requested,
      ...counts,
      looked_for: lookedFor.shown(),
      not_looked_for: notLookedFor.shown(),
    },
    authentication: logins.success + logins.partial + logins.failed > 0 ? logins : undefined,
  };
}
