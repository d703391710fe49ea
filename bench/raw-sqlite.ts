import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import type { Side } from './harness.ts';

/** The floor of a durable submit: one insert and one commit, WAL, `synchronous=FULL`, nothing else. */
export function createRawSqlite(folder: string): Side & { close(): void } {
  const db = new DatabaseSync(join(folder, 'raw.db'));
  db.exec('PRAGMA journal_mode = wal; PRAGMA synchronous = full');
  db.exec('CREATE TABLE IF NOT EXISTS scan (id INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT');
  const insert = db.prepare('INSERT INTO scan (record) VALUES (?)');
  const record = JSON.stringify({ targets: ['127.0.0.1'], pool: 'baseline', note: 'x'.repeat(600) });
  return {
    name: 'raw SQLite insert and commit',
    once() {
      db.exec('BEGIN IMMEDIATE');
      insert.run(record);
      db.exec('COMMIT');
      return Promise.resolve();
    },
    close: () => db.close(),
  };
}
