import { z } from 'zod';
import { Place } from '../model/coverage.ts';
import { AppError } from '../model/errors.ts';
import { LoginProblem } from '../model/login-problem.ts';
import { ParsedFinding } from '../model/finding.ts';
import type { Occurrence, RuleFacts } from '../model/finding.ts';
import type { ReportEvent, ReportSource } from '../model/report.ts';
import { createCheckLedger } from './check-ledger.ts';
import type { CheckLedger } from './check-ledger.ts';
import type { FindingsOut } from './findings-out.ts';
import type { IngestInput } from './findings.ts';
import { createPlaceLedger } from './place-ledger.ts';
import type { PlaceLedger } from './place-ledger.ts';
import type { RuleBook } from './rule-book.ts';
import type { ScopeRows } from './scope-rows.ts';
import { createSourceNotes } from './source-notes.ts';
import type { SourceNotes } from './source-notes.ts';
import { createSpokenHosts, type SpokenHosts } from './spoken-hosts.ts';

/** Where the events of a report go. */
export interface Hearing {
  readonly rules: RuleBook;
  readonly findings: FindingsOut;
  readonly scopes: ScopeRows;
  /** Lets other work of the process have its turn when it is time. */
  readonly turn: () => Promise<void> | undefined;
}

/** What reading a report left behind, besides its findings. */
export interface Heard {
  readonly places: PlaceLedger;
  readonly lookedFor: CheckLedger;
  readonly notLookedFor: CheckLedger;
  readonly source: SourceNotes;
  readonly spokenHosts: SpokenHosts;
  /** Part of every fingerprint. */
  engine: string;
  unrequested: number;
  /** Hosts by why a login did not work. */
  readonly loginProblems: Map<LoginProblem, number>;
  ended: boolean;
  readError?: AppError;
}

/**
 * Reads a report to its end, or to where it stops making sense; the reason is kept, and what was whole stays.
 * @throws AppError storage_full; whatever else the events fail with
 */
export async function hear(input: IngestInput, hearing: Hearing): Promise<Heard> {
  const heard: Heard = {
    places: createPlaceLedger(input.targets),
    lookedFor: createCheckLedger(),
    notLookedFor: createCheckLedger(),
    source: createSourceNotes(),
    spokenHosts: createSpokenHosts(),
    engine: input.engine,
    unrequested: 0,
    loginProblems: new Map(),
    ended: false,
  };
  heard.notLookedFor.add(input.notLookedFor ?? []);
  let position = 0;
  try {
    for await (const event of input.events) {
      position += 1;
      take(event, heard, hearing);
      if (hearing.findings.isOver() || heard.places.isOver()) break;
      const turn = hearing.findings.room() ?? hearing.turn();
      if (turn) await turn;
    }
  } catch (error) {
    const failure = error instanceof z.ZodError ? unfit(position, error.issues[0]?.path) : error;
    if (!(failure instanceof AppError) || failure.code !== 'report_unreadable') throw failure;
    heard.readError = failure;
    heard.ended = false;
  }
  return heard;
}

const unfit = (position: number, path: readonly PropertyKey[] = []): AppError =>
  new AppError(
    'report_unreadable',
    `Event ${position} of the report does not fit at ${path.map(String).join('.') || 'its root'}.`,
  );

/** @throws ZodError when the event does not fit; AppError report_unreadable */
function take(event: ReportEvent, heard: Heard, { rules, findings, scopes }: Hearing): void {
  switch (event.kind) {
    case 'occurrence':
      heard.spokenHosts.note(event.occurrence.location);
      findings.add(
        heard.engine,
        rules.know(event.rule, event.isRuleTested ?? false),
        withHost(event.occurrence, heard.places),
      );
      return;
    case 'finding': {
      // The second parse is what makes cleaning impossible to skip, whatever a parser emits.
      const { rule, occurrence } = inTwo(ParsedFinding.parse(event.finding));
      heard.spokenHosts.note(occurrence.location);
      findings.add(heard.engine, rules.knowParsed(rule), withHost(occurrence, heard.places));
      return;
    }
    case 'place':
      if (!heard.places.note(Place.parse(event.place))) heard.unrequested += 1;
      return;
    case 'login_problem': {
      const problem = LoginProblem.parse(event.problem);
      heard.loginProblems.set(problem, (heard.loginProblems.get(problem) ?? 0) + 1);
      return;
    }
    case 'scope':
      scopes.add(event.scope);
      return;
    case 'source':
      noteSource(event.source, heard, findings);
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

function noteSource(source: ReportSource, heard: Heard, findings: FindingsOut): void {
  heard.source.add(source);
  const { engine = heard.engine } = heard.source.all();
  if (engine !== heard.engine && findings.count() > 0) {
    throw new AppError('report_unreadable', 'The report names its engine after its first finding.');
  }
  heard.engine = engine;
}

function inTwo(finding: ParsedFinding): { rule: RuleFacts; occurrence: Occurrence } {
  const { location, untrusted, discriminator, compliance, report_state, ...rule } = finding;
  const occurrence = {
    location,
    untrusted,
    ...(discriminator !== undefined && { discriminator }),
    ...(compliance !== undefined && { compliance }),
    ...(report_state !== undefined && { report_state }),
  };
  return { rule, occurrence };
}

/** A host is called what it was asked for: names of the report or the resolver would change from scan to scan. */
function withHost(occurrence: Occurrence, places: PlaceLedger): Occurrence {
  const { ip, host } = occurrence.location;
  const asked = ip === undefined ? undefined : places.hostOf(ip);
  if (asked === undefined || asked === host) return occurrence;
  // No spread: V8 gives each literal that begins with one a hidden class of its own, a kilobyte per finding.
  return Object.assign({}, occurrence, { location: Object.assign({}, occurrence.location, { host: asked }) });
}
