import { join } from 'node:path';
import { createBell, type Bell } from '../../platform/bell.ts';
import type { Clock } from '../../platform/clock.ts';
import { identityText, isAlive as processIsAlive, ownIdentity } from '../../platform/process-identity.ts';
import type { Database, Row, SqlValue } from '../../platform/sqlite.ts';
import { freeBytesOf, prepareFile } from './folder.ts';
import { createJumps, type Jump } from '../jumps.ts';
import { openMigrated, tooNew, userVersion } from './migrate.ts';
import { createRecall, type Recall } from './recall.ts';
import { MIGRATIONS } from './schema.ts';
import { createWatch, type Watch } from '../watch.ts';

export interface QueueSettings {
  /** How long an idempotency key is kept, by the wall clock: one that leaps ahead ends keys early. */
  readonly idempotencyHours: number;
  /** A scan that waited this long fails. */
  readonly queuedExpiryHours: number;
  /** Submits are refused when fewer bytes than this are free. */
  readonly reserveBytes: number;
  /** A worker whose heartbeat stood still this long under another's eyes has lost its claims. Default 60,000. */
  readonly leaseMs?: number;
  /** A scan whose worker died more often than this fails. Default 10. */
  readonly maxLostLeases?: number;
  /** How long an adoption waits for its own instance to come back before any other may have it. Default 15 minutes. */
  readonly adoptPatienceMs?: number;
}

export interface SqliteQueueDeps {
  /** The data folder; `queue.db` and `bells/` are made in it. */
  readonly folder: string;
  readonly clock: Clock;
  readonly settings: QueueSettings;
  /** Whether the process that a worker id names still runs. A worker id is an identity text, or one and `|suffix`. */
  readonly isAlive?: (ownerText: string) => boolean;
  readonly freeBytes?: (folder: string) => number;
  /** `f_type` of a folder's file system. */
  readonly fileSystemType?: (folder: string) => number;
}

/** What the parts of the queue share. */
export interface Store {
  readonly db: Database;
  readonly clock: Clock;
  readonly settings: Required<QueueSettings>;
  readonly isAlive: (ownerText: string) => boolean;
  readonly freeBytes: () => number;
  readonly watch: Watch;
  /** The leap of the wall clock since the last call. */
  readonly jumped: () => Jump | undefined;
  readonly jobs: Bell;
  readonly events: Bell;
  readonly recall: Recall;
  /** One immediate transaction; refuses when a newer program has changed the schema meanwhile. */
  write<T>(body: () => T): Promise<T>;
  close(): void;
}

const HOUR_MS = 3_600_000;
export const hoursMs = (hours: number): number => hours * HOUR_MS;

/** Asking the system about another process costs a subprocess on some; about ourselves we know. */
function livingProcess(text: string): boolean {
  const own = identityText(ownIdentity());
  return text === own || text.startsWith(`${own}|`) || processIsAlive(text);
}

/** @throws AppError storage_unusable, data_too_new, queue_unavailable */
export async function openStore(deps: SqliteQueueDeps): Promise<Store> {
  const { folder, clock } = deps;
  const path = join(folder, 'queue.db');
  prepareFile(folder, path, deps.fileSystemType);
  const db = await openMigrated(path, MIGRATIONS);
  const settings = { leaseMs: 60_000, maxLostLeases: 10, adoptPatienceMs: 900_000, ...deps.settings };
  const jobs = createBell(folder, 'jobs');
  const events = createBell(folder, 'events');
  const recall = createRecall(db);
  const freeBytes = deps.freeBytes ?? freeBytesOf;
  return {
    db,
    clock,
    settings,
    isAlive: deps.isAlive ?? livingProcess,
    freeBytes: () => freeBytes(folder),
    watch: createWatch(clock, settings.leaseMs),
    jumped: createJumps(clock),
    jobs,
    events,
    recall,
    write: (body) =>
      db.write(() => {
        const version = userVersion(db);
        if (version > MIGRATIONS.length) throw tooNew(path, version, MIGRATIONS.length);
        recall.changing();
        return body();
      }),
    close() {
      jobs.close();
      events.close();
      db.close();
    },
  };
}

/** Runs a statement that is prepared once per text. */
export const one = (store: Store, sql: string, ...values: readonly SqlValue[]): Row | undefined =>
  store.db.prepare(sql).get(...values);
export const many = (store: Store, sql: string, ...values: readonly SqlValue[]): readonly Row[] =>
  store.db.prepare(sql).all(...values);
export const change = (store: Store, sql: string, ...values: readonly SqlValue[]): number =>
  store.db.prepare(sql).run(...values).changes;
