import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { Coverage } from '../model/coverage.ts';
import type { BySeverity } from '../model/finding.ts';
import { openDatabase } from '../platform/sqlite.ts';
import type { Database } from '../platform/sqlite.ts';
import type { Log } from '../platform/log.ts';
import { diskFailure, discard, makeFolder, makePrivateFile, publish } from './disk.ts';
import { INDICES, newFileSettings, SCHEMA, severityCounts } from './findings-file.ts';
import type { IngestInput, Ingested } from './findings.ts';
import { hear } from './hear.ts';
import type { Heard } from './hear.ts';
import { copyRanked, openStaging } from './staging.ts';

/** Rows of one transaction; between two, other work of the process has its turn. */
const BATCH = 500;

/** Bounds of one ingest. */
export interface IngestLimits {
  /** Different findings of one report. */
  readonly maxFindings: number;
  /** Of each of the two files that are written. */
  readonly maxFileBytes: number;
}

export const INGEST_LIMITS: IngestLimits = { maxFindings: 5_000_000, maxFileBytes: 64 * 2 ** 30 };

/**
 * Turns the events of one report into a findings file named by its content. Equal events in any order give an equal
 * file, byte for byte.
 * @throws AppError storage_full, storage_unusable, report_unreadable; no file is left behind then
 */
export async function ingest(input: IngestInput, limits: IngestLimits, log: Log): Promise<Ingested> {
  const unique = randomBytes(6).toString('hex');
  const stagingPath = join(input.folder, `.staging-${unique}.tmp`);
  const filePath = join(input.folder, `.findings-${unique}.tmp`);
  try {
    await makeFolder(input.folder);
    makePrivateFile(stagingPath);
    makePrivateFile(filePath);
    const { heard, findings } = await stage(input, stagingPath, limits);
    if (heard.unrequested > 0) {
      log.warn({ scanId: input.scanId, places: heard.unrequested }, 'The report speaks of places nobody asked for.');
    }
    const { coverage, bySeverity } = await writeFile({ input, heard, findings, stagingPath, filePath, limits });
    const artefact = await publish(filePath);
    const { ended, readError } = heard;
    return { artefact, coverage, findings, bySeverity, ended, ...(readError ? { readError } : {}) };
  } catch (error) {
    throw diskFailure(error, input.folder);
  } finally {
    await discard([stagingPath, filePath]);
  }
}

async function stage(
  input: IngestInput,
  path: string,
  limits: IngestLimits,
): Promise<{ heard: Heard; findings: number }> {
  const staging = openStaging(path, input.engine, limits.maxFileBytes);
  try {
    const heard = await hear(input, staging, limits.maxFindings);
    return { heard, findings: staging.rank() };
  } finally {
    staging.close();
  }
}

interface Writing {
  readonly input: IngestInput;
  readonly heard: Heard;
  readonly findings: number;
  readonly stagingPath: string;
  readonly filePath: string;
  readonly limits: IngestLimits;
}

async function writeFile(writing: Writing): Promise<{ coverage: Coverage; bySeverity: BySeverity }> {
  const { input, heard, findings, stagingPath, filePath, limits } = writing;
  const db = openDatabase(filePath, { journal: 'off', synchronous: 'off' });
  try {
    db.exec(newFileSettings(limits.maxFileBytes));
    db.exec(SCHEMA);
    db.prepare('ATTACH ? AS stage').run(stagingPath);
    for (let from = 1; from <= findings; from += BATCH) {
      copyRanked(db, from, from + BATCH - 1);
      await yieldToOthers();
    }
    const coverage = await writePlaces(db, heard);
    db.writeNow(() => writeMeta(db, input, findings));
    for (const index of INDICES) {
      db.exec(index);
      await yieldToOthers();
    }
    const rows = db.prepare('SELECT severity_key, count(*) AS n FROM finding GROUP BY severity_key').all();
    return { coverage, bySeverity: severityCounts(rows) };
  } finally {
    db.close();
  }
}

function writeMeta(db: Database, { scanId, engine, epoch }: IngestInput, findings: number): void {
  const insert = db.prepare('INSERT INTO meta VALUES (?, ?)');
  const facts = { engine, epoch, findings, scan_id: scanId };
  for (const [key, value] of Object.entries(facts)) insert.run(key, String(value));
}

/** Counts all requested places; only those that were not fully tested are worth a row. */
async function writePlaces(db: Database, { places, lookedFor, notLookedFor }: Heard): Promise<Coverage> {
  const settled = places.settled();
  const counts = { tested: 0, partial: 0, unreachable: 0, not_tested: 0 };
  for (const { status } of settled) counts[status] += 1;
  const untested = settled.filter(({ status }) => status !== 'tested');
  for (let from = 0; from < untested.length; from += BATCH) {
    db.writeNow(() => {
      const insert = db.prepare('INSERT OR IGNORE INTO place VALUES (?, ?, ?)');
      for (const { place, status, reason } of untested.slice(from, from + BATCH))
        insert.run(place, status, reason ?? null);
    });
    await yieldToOthers();
  }
  return {
    requested: settled.length,
    ...counts,
    looked_for: lookedFor.shown(),
    not_looked_for: notLookedFor.shown(),
  };
}
