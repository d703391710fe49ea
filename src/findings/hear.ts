import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { Place } from '../model/coverage.ts';
import { AppError } from '../model/errors.ts';
import { ParsedFinding } from '../model/finding.ts';
import type { ReportEvent } from '../model/report.ts';
import { createCheckLedger } from './check-ledger.ts';
import type { CheckLedger } from './check-ledger.ts';
import type { IngestInput } from './findings.ts';
import { createPlaceLedger } from './place-ledger.ts';
import type { PlaceLedger } from './place-ledger.ts';
import type { Staging } from './staging.ts';

/** Small enough that renewing a lease never waits long, large enough that a transaction is not the cost. */
const BATCH = 500;

/** What reading a report left behind, besides the staged findings. */
export interface Heard {
  readonly places: PlaceLedger;
  readonly lookedFor: CheckLedger;
  readonly notLookedFor: CheckLedger;
  unrequested: number;
  ended: boolean;
  readError?: AppError;
}

/**
 * Reads a report to its end, or to where it stops making sense, into the staging file and the ledgers.
 * @throws AppError report_unreadable when it holds more findings than the limit; storage_full
 */
export async function hear(input: IngestInput, staging: Staging, maxFindings: number): Promise<Heard> {
  const heard: Heard = {
    places: createPlaceLedger(input.targets),
    lookedFor: createCheckLedger(),
    notLookedFor: createCheckLedger(),
    unrequested: 0,
    ended: false,
  };
  heard.notLookedFor.add(input.notLookedFor ?? []);
  let batch: ParsedFinding[] = [];
  let found = 0;
  const store = async (): Promise<void> => {
    found += staging.add(batch);
    batch = [];
    if (found > maxFindings) {
      throw new AppError('report_unreadable', `The report holds more than ${maxFindings} findings.`);
    }
    await yieldToOthers();
  };
  for await (const event of untilUnreadable(input.events, heard)) {
    if (event.kind === 'finding') batch.push(event.finding);
    else take(event, heard);
    if (batch.length >= BATCH) await store();
  }
  await store();
  return heard;
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
