import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { Place } from '../model/coverage.ts';
import type { Coverage } from '../model/coverage.ts';
import { AppError } from '../model/errors.ts';
import { ParsedFinding } from '../model/finding.ts';
import type { BySeverity } from '../model/finding.ts';
import type { ReportEvent } from '../model/report.ts';
import { openDatabase } from '../platform/sqlite.ts';
import type { Database } from '../platform/sqlite.ts';
import type { Log } from '../platform/log.ts';
import { createCheckLedger } from './check-ledger.ts';
import type { CheckLedger } from './check-ledger.ts';
import { diskFailure, discard, makeFolder, makePrivateFile, publish } from './disk.ts';
import { INDICES, newFileSettings, SCHEMA, severityCounts } from './findings-file.ts';
import type { IngestInput, Ingested } from './findings.ts';
import { createPlaceLedger } from './place-ledger.ts';
import type { PlaceLedger } from './place-ledger.ts';
import { copyRanked, openStaging } from './staging.ts';
import type { Staging } from './staging.ts';

/** Small enough that renewing a lease never waits long, large enough that a transaction is not the cost. */
const BATCH = 500;

/** Bounds of one ingest. */
export interface IngestLimits {
  /** Different findings of one report. */
  readonly maxFindings: number;
  /** Of each of the two files that are written. */
  readonly maxFileBytes: number;
}

export const INGEST_LIMITS: IngestLimits = { maxFindings: 5_000_000, maxFileBytes: 64 * 2 ** 30 };

/** What reading a report left behind, besides the staged findings. */
interface Heard {
  readonly places: PlaceLedger;
  readonly lookedFor: CheckLedger;
  readonly notLookedFor: CheckLedger;
  unrequested: number;
  ended: boolean;
  readError?: AppError;
}

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
  const heard: Heard = {
    places: createPlaceLedger(input.targets),
    lookedFor: createCheckLedger(),
    notLookedFor: createCheckLedger(),
    unrequested: 0,
    ended: false,
  };
  heard.notLookedFor.add(input.notLookedFor ?? []);
  const staging = openStaging(path, input.engine, limits.maxFileBytes);
  try {
    await hear(input.events, heard, staging, limits.maxFindings);
    return { heard, findings: staging.rank() };
  } finally {
    staging.close();
  }
}

async function hear(events: AsyncIterable<ReportEvent>, heard: Heard, staging: Staging, max: number): Promise<void> {
  let batch: ParsedFinding[] = [];
  let found = 0;
  const store = async (): Promise<void> => {
    found += staging.add(batch);
    batch = [];
    if (found > max) throw new AppError('report_unreadable', `The report holds more than ${max} findings.`);
    await yieldToOthers();
  };
  for await (const event of untilUnreadable(events, heard)) {
    if (event.kind === 'finding') batch.push(event.finding);
    else take(event, heard);
    if (batch.length >= BATCH) await store();
  }
  await store();
}

/** Checked events until the report ends or stops making sense; the reason is kept, and what was whole stays. */
async function* untilUnreadable(events: AsyncIterable<ReportEvent>, heard: Heard): AsyncGenerator<ReportEvent> {
  let seen = 0;
  try {
    for await (const event of events) {
      seen += 1;
      yield checked(event, heard.places, seen);
    }
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'report_unreadable') throw error;
    heard.readError = error;
    heard.ended = false;
  }
}

/** The second parse is what makes cleaning impossible to skip, whatever a parser emits. */
function checked(event: ReportEvent, places: PlaceLedger, position: number): ReportEvent {
  if (event.kind === 'finding') {
    const parsed = ParsedFinding.safeParse(event.finding);
    if (parsed.success) return { kind: 'finding', finding: withHost(parsed.data, places) };
    throw unfit(position, parsed.error.issues[0]?.path);
  }
  if (event.kind === 'place') {
    const parsed = Place.safeParse(event.place);
    if (parsed.success) return { kind: 'place', place: parsed.data };
    throw unfit(position, parsed.error.issues[0]?.path);
  }
  return event;
}

const unfit = (position: number, path: readonly PropertyKey[] = []): AppError =>
  new AppError(
    'report_unreadable',
    `Event ${position} of the report does not fit at ${path.map(String).join('.') || 'its root'}.`,
  );

/** A host is called what it was asked for: names of the report or the resolver would change from scan to scan. */
function withHost(finding: ParsedFinding, places: PlaceLedger): ParsedFinding {
  const { ip } = finding.location;
  const host = ip === undefined ? undefined : places.hostOf(ip);
  return host === undefined ? finding : { ...finding, location: { ...finding.location, host } };
}

function take(event: Exclude<ReportEvent, { kind: 'finding' }>, heard: Heard): void {
  switch (event.kind) {
    case 'place':
      if (!heard.places.note(event.place)) heard.unrequested += 1;
      return;
    case 'checks':
      heard.lookedFor.add(event.lookedFor);
      heard.notLookedFor.add(event.notLookedFor);
      return;
    case 'end':
      heard.ended = true;
      return;
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
