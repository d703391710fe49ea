import { pathToFileURL } from 'node:url';
import { DatabaseSync } from '@photostructure/sqlite';
import { CORRUPT, isBusy, sqliteCode, sqliteFailure } from './sqlite-failure.ts';
import { createWrites } from './sqlite-writes.ts';

type Connection = InstanceType<typeof DatabaseSync>;

export type SqlValue = string | number | bigint | null | Uint8Array;
/** A row as SQLite gives it; adapters parse what they rely on. */
export type Row = Readonly<Record<string, SqlValue>>;

export interface Statement {
  get(...values: readonly SqlValue[]): Row | undefined;
  all(...values: readonly SqlValue[]): readonly Row[];
  /** Rows one by one, for results that do not fit. */
  iterate(...values: readonly SqlValue[]): IterableIterator<Row>;
  /** Number of rows changed, and the last row id. */
  run(...values: readonly SqlValue[]): { changes: number; lastRowId: number };
}

export interface Database {
  readonly path: string;
  exec(sql: string): void;
  /** Prepared once per text and kept. */
  prepare(sql: string): Statement;
  /**
   * Runs `body` in one immediate transaction, one after the other. A lock held by another process is waited for without
   * stopping the event loop. `body` is synchronous: nothing may run between its reads and its writes.
   * @throws AppError queue_unavailable when the lock is not free within `LOCK_PATIENCE_MS`; storage_full
   */
  write<T>(body: () => T): Promise<T>;
  /** The same without waiting, for worker threads and set-up. */
  writeNow<T>(body: () => T): T;
  close(): void;
}

/** How long one attempt may block the event loop for a lock. */
const BLOCKING_WAIT_MS = 5;
const LOCK_PATIENCE_MS = 10_000;
/** How long opening a file waits while other processes make or recover it. */
const OPEN_PATIENCE_MS = 2_000;

export interface OpenOptions {
  readonly readOnly?: boolean;
  /** `full` survives power loss; `off` is for files that are thrown away when not finished. Default `full`. */
  readonly synchronous?: 'full' | 'normal' | 'off';
  /** Size of a page of a file that is made, in bytes. Small ones make small commits. Default 4096. */
  readonly pageBytes?: number;
  readonly journal?: 'wal' | 'off' | 'memory' | 'keep';
  /**
   * Opens the file as this schema beside an empty main one, whose tables are found without naming it; PRAGMAs need the
   * name. Only such a file is let go at once by `close`: the driver keeps the main one open until it has collected the
   * last statement.
   */
  readonly schema?: string;
  /**
   * The file never changes any more: read without locks, which network file systems may not have, and without a look at
   * what lies beside it. Needs `schema` and `readOnly`. Source: sqlite.org/uri.html, `immutable`.
   */
  readonly immutable?: boolean;
  /** For worker threads and the command line, which may wait. Milliseconds. */
  readonly blockingWaitMs?: number;
}

/** Half of a surrogate pair: UTF-8 has no form for it, so every one would become the same character. */
const HALF_CHARACTER = /\p{Cs}/u;

/**
 * The driver binds NaN as NULL, integers over 2^53 as floats, text up to its first NUL, and any half character as the
 * same one. What could not be given back as it was is refused here instead.
 */
function checked(values: readonly SqlValue[]): SqlValue[] {
  for (const value of values) {
    if (typeof value === 'string' && (value.includes('\0') || HALF_CHARACTER.test(value))) {
      throw new TypeError('SQLite cannot hold text with NUL or half a character exactly.');
    }
    if (typeof value !== 'number') continue;
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
      throw new TypeError(`SQLite cannot hold the number ${value} exactly.`);
    }
  }
  return [...values];
}

/** A row of the driver as an object; its type allows what we never store. */
function row(value: unknown): Row {
  const result: Record<string, SqlValue> = {};
  if (typeof value !== 'object' || value === null) return result;
  for (const [key, cell] of Object.entries(value)) result[key] = cell;
  return result;
}

/**
 * The driver drops the result code where a read of many rows fails. Whether the file is to blame is then asked of SQLite
 * itself; the error of a sound file (an SQL mistake, say) stays as it is.
 */
function withResultCode(db: Connection, error: unknown): unknown {
  const isCodeless = error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
  if (!isCodeless || 'errcode' in error) return error;
  try {
    const { quick_check: answer } = row(db.prepare('PRAGMA quick_check(1)').get());
    return answer === 'ok' ? error : Object.assign(error, { errcode: CORRUPT });
  } catch (found) {
    return found;
  }
}

type Prepared = ReturnType<Connection['prepare']>;

/**
 * Makes rows here out of arrays: the driver sets each property of an object by a call of its own, which for a wide row
 * is a quarter of the whole read.
 */
function rowReader(statement: Prepared): (found: unknown) => Row {
  let names: readonly string[] = [];
  return (found) => {
    const result: Record<string, SqlValue> = {};
    if (!Array.isArray(found)) return result;
    // A schema change since then re-prepares the statement.
    if (names.length !== found.length) names = statement.columns().map(({ name }) => name);
    for (let index = 0; index < names.length; index += 1) result[names[index] ?? ''] = found[index];
    return result;
  };
}

function wrap(statement: Prepared, fail: (error: unknown) => unknown): Statement {
  statement.setReturnArrays(true);
  const toRow = rowReader(statement);
  const guarded = <T>(body: () => T): T => {
    try {
      return body();
    } catch (error) {
      throw fail(error);
    }
  };
  return {
    get: (...values) =>
      guarded(() => {
        const found = statement.get(...checked(values));
        return found === undefined ? undefined : toRow(found);
      }),
    all: (...values) => guarded(() => statement.all(...checked(values)).map(toRow)),
    *iterate(...values) {
      try {
        for (const found of statement.iterate(...checked(values))) yield toRow(found);
      } catch (error) {
        throw fail(error);
      }
    },
    run: (...values) =>
      guarded(() => {
        const { changes, lastInsertRowid } = statement.run(...checked(values));
        return { changes: Number(changes), lastRowId: Number(lastInsertRowid) };
      }),
  };
}

/**
 * Opens one SQLite file. The connection is referenced until `close`: the driver would close a collected one under a
 * running statement.
 * @throws AppError storage_unusable, storage_full, queue_unavailable
 */
export function openDatabase(path: string, options: OpenOptions = {}): Database {
  const db = connect(path, options);
  const fail = (error: unknown): unknown => sqliteFailure(withResultCode(db, error), path);
  const statements = new Map<string, Statement>();
  const writes = createWrites(fail, LOCK_PATIENCE_MS);
  return {
    path,
    exec(sql) {
      try {
        db.exec(sql);
      } catch (error) {
        throw fail(error);
      }
    },
    prepare(sql) {
      const known = statements.get(sql);
      if (known) return known;
      try {
        const made = wrap(db.prepare(sql), fail);
        statements.set(sql, made);
        return made;
      } catch (error) {
        throw fail(error);
      }
    },
    writeNow(body) {
      try {
        return inTransaction(db, body);
      } catch (error) {
        throw fail(error);
      }
    },
    write: (body) => writes(() => inTransaction(db, body)),
    close() {
      statements.clear();
      if (!db.isOpen) return;
      if (!options.readOnly) checkpoint(db);
      detachAll(db);
      db.close();
    },
  };
}

/**
 * The driver ends statements only when they are collected, so its close leaves everything in the WAL. Here it moves to
 * the file first; where another process still reads, that one or the next to open does it.
 */
function checkpoint(db: Connection): void {
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch (error) {
    if (sqliteCode(error) === undefined) throw error;
  }
}

function detachAll(db: Connection): void {
  for (const { name } of db.prepare('PRAGMA database_list').all().map(row)) {
    if (name === 'main' || name === 'temp') continue;
    try {
      db.exec(`DETACH ${String(name)}`);
    } catch (error) {
      if (sqliteCode(error) === undefined) throw error; // A read stopped halfway; it ends when it is collected.
    }
  }
}

function inTransaction<T>(db: Connection, body: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = body();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Two processes that make or recover the same file at once get BUSY without the driver's own wait (the switch to WAL
 * needs the file alone). Opening is synchronous and happens at start-up, so here, and only here, we wait in place.
 */
function connect(path: string, options: OpenOptions): Connection {
  const deadline = performance.now() + OPEN_PATIENCE_MS;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      return connectOnce(path, options);
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw sqliteFailure(error, path);
    }
    Atomics.wait(pause, 0, 0, 1 + Math.random() * 10);
  }
}

const attachedName = (path: string, { immutable = false }: OpenOptions): string =>
  (immutable ? `${pathToFileURL(path).href}?mode=ro&immutable=1` : path).replaceAll("'", "''");

function connectOnce(path: string, options: OpenOptions): Connection {
  const { schema } = options;
  const db = new DatabaseSync(schema === undefined ? path : ':memory:', {
    readOnly: options.readOnly ?? false,
    timeout: options.blockingWaitMs ?? BLOCKING_WAIT_MS,
  });
  try {
    if (schema !== undefined) db.exec(`ATTACH '${attachedName(path, options)}' AS ${schema}`);
    if (options.pageBytes !== undefined) db.exec(`PRAGMA page_size = ${options.pageBytes}`);
    const journal = options.journal ?? 'wal';
    if (!options.readOnly && journal !== 'keep') db.exec(`PRAGMA journal_mode = ${journal}`);
    db.exec(`PRAGMA synchronous = ${options.synchronous ?? 'full'}; PRAGMA trusted_schema = OFF`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
