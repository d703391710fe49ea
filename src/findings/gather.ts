import { crc32 } from 'node:zlib';
import { openDatabase } from '../platform/sqlite.ts';
import type { Database } from '../platform/sqlite.ts';
import { makePrivateFile } from './disk.ts';
import { createFindingRows } from './finding-rows.ts';
import type { UnnumberedRows } from './finding-rows.ts';
import { createHostBook } from './host-book.ts';
import { newFileSettings, SCHEMA } from './layout.ts';
import type { RuleColumns } from './open-findings.ts';
import { unpack, unpackRules } from './packed-findings.ts';
import type { FindingBatch } from './packed-findings.ts';
import { createRuleRows } from './rule-rows.ts';
import type { TakeBlock } from './words-blocks.ts';

/** The two files an ingest writes; nothing is there yet. */
export interface NewFiles {
  readonly findings: string;
  /** Thrown away at the end. */
  readonly staging: string;
  /** Of each of the two. */
  readonly maxFileBytes: number;
}

/** What is known of the findings once all are written, by number in the report. */
export interface Gathered {
  readonly rows: UnnumberedRows;
  readonly rules: RuleColumns;
  /** crc32 of all words. */
  readonly words: number;
}

/** The memory of the columns, which moves to another thread: a copy would double it. */
export const columnsOf = ({ rows, rules }: Gathered): ArrayBuffer[] =>
  [...Object.values(rows), ...Object.values(rules)].flatMap((column) =>
    ArrayBuffer.isView(column) && column.buffer instanceof ArrayBuffer ? [column.buffer] : [],
  );

/** Writes rules and findings while they come; both files are its own until it finishes. */
export interface Gatherer {
  /** @throws AppError storage_full, storage_unusable */
  take(batch: FindingBatch): void;
  /** Commits and closes both files. Call once. */
  finish(): Gathered;
  /** Closes both files whatever is in them. */
  close(): void;
}

/** Opens one of the files. One transaction until it is committed: the file is thrown away when anything fails. */
export function openNewFile(path: string, maxFileBytes: number): Database {
  const db = openDatabase(path, { journal: 'off', synchronous: 'off' });
  db.exec(newFileSettings(maxFileBytes));
  db.exec('BEGIN');
  return db;
}

function makeFile(path: string, maxFileBytes: number): Database {
  makePrivateFile(path);
  return openNewFile(path, maxFileBytes);
}

/** @throws AppError storage_full, storage_unusable */
export function createGatherer(files: NewFiles): Gatherer {
  const staging = makeFile(files.staging, files.maxFileBytes);
  const db = makeFile(files.findings, files.maxFileBytes);
  db.exec(SCHEMA);
  const insertWords = db.prepare('INSERT INTO words VALUES (?, ?, ?, ?)');
  let words = 0;
  const wordsOf =
    (kind: 'rule' | 'body'): TakeBlock =>
    (first, offsets, text) => {
      insertWords.run(kind, first, offsets, text);
      words = crc32(text, words);
    };
  const rules = createRuleRows(db, wordsOf('rule'));
  const findings = createFindingRows(db, wordsOf('body'), createHostBook(staging));
  const close = (): void => {
    staging.close();
    db.close();
  };
  return {
    take(batch) {
      unpackRules(batch, rules.add);
      unpack(batch, (finding) => findings.add(batch.engine, finding, rules.signalsOf(finding.rule)));
    },
    finish() {
      const [rows, ruleColumns] = [findings.finish(), rules.finish()];
      // Both end with a last block of words.
      const gathered = { rows, rules: ruleColumns, words };
      staging.exec('COMMIT');
      db.exec('COMMIT');
      close();
      return gathered;
    },
    close,
  };
}
