import type { Database, SqlValue, Statement } from '../platform/sqlite.ts';

/** Rows of one table that are inserted many at a time: a call of the driver costs more than the insert itself. */
export interface RowBatch {
  add(...row: readonly SqlValue[]): void;
  /** Inserts what is left. */
  flush(): void;
}

const ROWS = 32;

/** @param width Columns of the table, all of which every row fills. */
export function createRowBatch(db: Database, table: string, width: number): RowBatch {
  const row = `(${Array.from({ length: width }, () => '?').join(', ')})`;
  const insertOf = (rows: number): Statement =>
    db.prepare(`INSERT INTO ${table} VALUES ${Array.from({ length: rows }, () => row).join(', ')}`);
  const insertAll = insertOf(ROWS);
  let values: SqlValue[] = [];
  return {
    add(...cells) {
      values.push(...cells);
      if (values.length < ROWS * width) return;
      insertAll.run(...values);
      values = [];
    },
    flush() {
      const insertOne = insertOf(1);
      for (let from = 0; from < values.length; from += width) insertOne.run(...values.slice(from, from + width));
      values = [];
    },
  };
}
