import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AppError } from '../model/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Database } from '../platform/sqlite.ts';
import { diskFailure, discard, makeFolder, publish } from './disk.ts';
import { createFindingsOut } from './findings-out.ts';
import type { IngestInput, Ingested } from './findings.ts';
import { openNewFile } from './gather.ts';
import type { Gathered, NewFiles } from './gather.ts';
import { hear } from './hear.ts';
import type { Heard } from './hear.ts';
import { createRuleBook } from './rule-book.ts';
import { createScopeRows } from './scope-rows.ts';
import type { ScopeRows } from './scope-rows.ts';
import { sealOf } from './seal.ts';
import { createTurns } from './turns.ts';
import type { Turns } from './turns.ts';
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
 * @param program Compiled program of the thread that writes a large report while this one reads it; without it, all is done here
 * @throws AppError storage_full, storage_unusable, report_unreadable; no file is left behind then
 */
export async function ingest(input: IngestInput, limits: IngestLimits, log: Log, program?: URL): Promise<Ingested> {
  const unique = randomBytes(6).toString('hex');
  const files: NewFiles = {
    findings: join(input.folder, `.findings-${unique}.tmp`),
    staging: join(input.folder, `.staging-${unique}.tmp`),
    maxFileBytes: limits.maxFileBytes,
  };
  const turns = createTurns();
  try {
    await makeFolder(input.folder);
    const report = await gather(files, input, { limits, turns, program });
    const { seal, ...written } = await withBoth(files, (both) => finishFile(both, report, input, turns));
    logOddities(log, input.scanId, report);
    return { artefact: await publish(files.findings, seal), ...written };
  } catch (error) {
    throw diskFailure(error, input.folder);
  } finally {
    await discard([files.staging, files.findings]);
  }
}

/** All of a report once it is read: its findings are written, in its order. */
interface Report extends Gathered {
  readonly heard: Heard;
  readonly scopes: ScopeRows;
  /** Findings the report itself took back. */
  readonly withdrawn: number;
}

async function gather(
  files: NewFiles,
  input: IngestInput,
  { limits, turns, program }: { limits: IngestLimits; turns: Turns; program: URL | undefined },
): Promise<Report> {
  const findings = createFindingsOut(files, limits.maxFindings, program);
  try {
    const rules = createRuleBook(findings.addRule, input.enrich);
    const scopes = createScopeRows();
    const heard = await hear(input, { rules, findings, scopes, turn: turns.ifDue });
    if (findings.isOver()) {
      throw new AppError('report_unreadable', `The report holds more than ${limits.maxFindings} findings.`);
    }
    return { ...(await findings.finish()), heard, scopes, withdrawn: findings.withdrawn() };
  } finally {
    await findings.end();
  }
}

type Both = Readonly<Record<'db' | 'staging', Database>>;

async function withBoth<T>(files: NewFiles, work: (both: Both) => Promise<T>): Promise<T> {
  const staging = openNewFile(files.staging, files.maxFileBytes);
  try {
    const db = openNewFile(files.findings, files.maxFileBytes);
    try {
      const result = await work({ db, staging });
      db.exec('COMMIT');
      return result;
    } finally {
      db.close();
    }
  } finally {
    staging.close();
  }
}

async function finishFile(
  both: Both,
  { rows, rules, words, heard, scopes, withdrawn }: Report,
  input: IngestInput,
  turns: Turns,
): Promise<Omit<Ingested, 'artefact'> & { readonly seal: string }> {
  scopes.writeTo(both.db);
  const bySeverity = await writeColumns(both, { rows, rules, places: heard.places }, turns);
  if (heard.places.isOver()) throw new AppError('report_unreadable', 'The report speaks of too many places.');
  const { coverage, authentication } = await writePlaces(both.db, heard, turns);
  writeMeta(both.db, input, { heard, findings: rows.count, withdrawn, words });
  const { ended, readError } = heard;
  return {
    seal: sealOf(both.db),
    coverage,
    ...(authentication ? { authentication } : {}),
    ...(heard.loginProblems.size > 0 ? { loginProblems: Object.fromEntries(heard.loginProblems) } : {}),
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
  { heard, ...counts }: { heard: Heard } & Readonly<Record<'findings' | 'withdrawn' | 'words', number>>,
): void {
  const insert = db.prepare('INSERT INTO meta VALUES (?, ?)');
  const facts = {
    ended: heard.ended,
    engine: heard.engine,
    epoch,
    scan_id: scanId,
    source: JSON.stringify(heard.source.all()),
    ...counts,
  };
  for (const [key, value] of Object.entries(facts)) insert.run(key, String(value));
}

function logOddities(log: Log, scanId: string, { heard, scopes }: Report): void {
  const { unrequested: places } = heard;
  if (places > 0) log.warn({ scanId, places }, 'The report speaks of places nobody asked for.');
  if (scopes.overflowed()) log.warn({ scanId }, 'The report says more about its scope than is kept: none of it was.');
}
