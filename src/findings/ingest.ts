import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AppError } from '../model/errors.ts';
import type { Log } from '../platform/log.ts';
import { openDatabase } from '../platform/sqlite.ts';
import type { Database } from '../platform/sqlite.ts';
import { diskFailure, discard, makeFolder, makePrivateFile, publish } from './disk.ts';
import { createFindingRows } from './finding-rows.ts';
import type { IngestInput, Ingested } from './findings.ts';
import { hear } from './hear.ts';
import type { Heard } from './hear.ts';
import { createHostBook } from './host-book.ts';
import { newFileSettings, SCHEMA } from './layout.ts';
import { createRuleBook } from './rule-book.ts';
import { createScopeRows } from './scope-rows.ts';
import { createTurns } from './turns.ts';
import { writeColumns } from './write-columns.ts';
import { writePlaces } from './write-places.ts';

/** Bounds of one ingest. */
export interface IngestLimits {
  /** Findings of one report. */
  readonly maxFindings: number;
  /** Of each of the two files that are written. */
  readonly maxFileBytes: number;
}

export const INGEST_LIMITS: IngestLimits = { maxFindings: 5_000_000, maxFileBytes: 64 * 2 ** 30 };

/**
 * Turns the events of one report into a findings file named by its content. Equal events in any order give equal
 * fingerprints and numbers; the same report gives the same bytes.
 * @throws AppError storage_full, storage_unusable, report_unreadable; no file is left behind then
 */
export async function ingest(input: IngestInput, limits: IngestLimits, log: Log): Promise<Ingested> {
  const unique = randomBytes(6).toString('hex');
  const stagingPath = join(input.folder, `.staging-${unique}.tmp`);
  const filePath = join(input.folder, `.findings-${unique}.tmp`);
  try {
    await makeFolder(input.folder);
    const staging = makeFile(stagingPath, limits);
    try {
      const db = makeFile(filePath, limits);
      try {
        db.exec(SCHEMA);
        const written = await writeFile({ db, staging }, input, limits, log);
        db.exec('COMMIT');
        db.close();
        return { artefact: await publish(filePath), ...written };
      } finally {
        db.close();
      }
    } finally {
      staging.close();
    }
  } catch (error) {
    throw diskFailure(error, input.folder);
  } finally {
    await discard([stagingPath, filePath]);
  }
}

function makeFile(path: string, { maxFileBytes }: IngestLimits): Database {
  makePrivateFile(path);
  const db = openDatabase(path, { journal: 'off', synchronous: 'off' });
  db.exec(newFileSettings(maxFileBytes));
  // One transaction from here to the end: the file is thrown away when anything fails.
  db.exec('BEGIN');
  return db;
}

async function writeFile(
  { db, staging }: { db: Database; staging: Database },
  input: IngestInput,
  limits: IngestLimits,
  log: Log,
): Promise<Omit<Ingested, 'artefact'>> {
  const insertWords = db.prepare('INSERT INTO words VALUES (?, ?, ?, ?)');
  const hosts = createHostBook(staging);
  const rules = createRuleBook(db, (...block) => void insertWords.run('rule', ...block), input.enrich);
  const findings = createFindingRows(db, (...block) => void insertWords.run('body', ...block), {
    hosts,
    maxFindings: limits.maxFindings,
  });
  const scopes = createScopeRows(db);
  const turns = createTurns();
  const heard = await hear(input, { rules, findings, scopes, turn: turns.ifDue });
  if (findings.isOver()) {
    throw new AppError('report_unreadable', `The report holds more than ${limits.maxFindings} findings.`);
  }
  const rows = findings.finish();
  const bySeverity = await writeColumns(
    { db, staging },
    { rows, rules: rules.finish(), hosts, places: heard.places },
    turns,
  );
  if (heard.places.isOver()) throw new AppError('report_unreadable', 'The report speaks of too many places.');
  const coverage = await writePlaces(db, heard, turns);
  writeMeta(db, input, { heard, findings: rows.count });
  report(log, input.scanId, heard.unrequested, scopes.overflowed());
  const { ended, readError } = heard;
  return {
    coverage,
    findings: rows.count,
    bySeverity,
    ended,
    source: heard.source.all(),
    spokenHosts: heard.spokenHosts.all(),
    ...(readError ? { readError } : {}),
  };
}

function writeMeta(
  db: Database,
  { scanId, epoch }: IngestInput,
  { heard, findings }: { heard: Heard; findings: number },
): void {
  const insert = db.prepare('INSERT INTO meta VALUES (?, ?)');
  const facts = {
    ended: heard.ended,
    engine: heard.engine,
    epoch,
    findings,
    scan_id: scanId,
    source: JSON.stringify(heard.source.all()),
  };
  for (const [key, value] of Object.entries(facts)) insert.run(key, String(value));
}

function report(log: Log, scanId: string, unrequested: number, isScopeOver: boolean): void {
  if (unrequested > 0) log.warn({ scanId, places: unrequested }, 'The report speaks of places nobody asked for.');
  if (isScopeOver) log.warn({ scanId }, 'The report says more about its scope than is kept: none of it was.');
}
