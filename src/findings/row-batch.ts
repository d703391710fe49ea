import type { Database, SqlValue, Statement } from '../platform/sqlite.ts';

/** Rows of one table that are inserted many at a time: a call of the driver costs more than the insert itself. */
export interface RowBatch {
  add(...row: readonly SqlValue[]): void;
  /** Inserts what is left. */
  flush(): void;
}

const ROWS = 32;
/** Of texts that wait: 32 of the longest would be ten million. */
const MOST_CHARS = 1 << 20;

/** @param width Columns of the table, all of which every row fills. */
export function createRowBatch(db: Database, table: string, width: number): RowBatch {
  const row = `(${Array.from({ length: width }, () => '?').join(', ')})`;
  const insertOf = (rows: number): Statement =>
    db.prepare(`INSERT INTO ${table} VALUES ${Array.from({ length: rows }, () => row).join(', ')}`);
  const insertAll = insertOf(ROWS);
  let insertOne: Statement | undefined;
  let values: SqlValue[] = [];
  let chars = 0;
  const flush = (): void => {
    insertOne ??= insertOf(1);
    for (let from = 0; from < values.length; from += width) insertOne.run(...values.slice(from, from + width));
    values = [];
    chars = 0;
  };
  return {
    add(...cells) {
      values.push(...cells);
      for (const cell of cells) if (typeof cell === 'string') chars += cell.length;
      if (chars >= MOST_CHARS) return flush();
      if (values.length < ROWS * width) return;
      insertAll.run(...values);
      values = [];
      chars = 0;
    },
    flush,
  };
}
