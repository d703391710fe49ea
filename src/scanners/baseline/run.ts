import type { Location } from '../../model/finding.ts';
import { scopeLine } from '../../model/native.ts';
import type { Clock } from '../../platform/clock.ts';
import type { RawReport, RunContext, ScanJob } from '../scanner.ts';
import { createGate, settleAll } from './gate.ts';
import { createJournal, type Journal } from './journal.ts';
import { createLane, type ScanLimits } from './lane.ts';
import { LIMITS } from './limits.ts';
import { lookAt } from './look.ts';
import { createNotes, type Notes } from './notes.ts';
import type { Observation } from './observation.ts';
import { planPlaces, type PlannedPlace } from './places.ts';
import { createRepeats, type Repeats } from './repeats.ts';
import { REPORT_VERSION, type FindingLine, type ReportLine } from './report.ts';
import type { BaselineSettings } from './settings.ts';

/** Places looked at side by side; their sockets are bounded together. */
const PLACES_AT_ONCE = 8;

interface Tracker {
  /** Places that gave evidence and are not finished: a stopped scan still looked at them in part. */
  readonly begun: Set<PlannedPlace>;
  readonly shares: Map<PlannedPlace, number>;
  /** Of all shares. */
  sum: number;
  done: number;
  findings: number;
  shortOf: string | undefined;
}

interface Run {
  readonly places: readonly PlannedPlace[];
  readonly job: ScanJob;
  readonly ctx: RunContext;
  readonly settings: BaselineSettings;
  readonly journal: Journal;
  readonly notes: Notes;
  readonly scan: ScanLimits;
  readonly tracker: Tracker;
  readonly repeats: Repeats;
}

/**
 * Looks at every pinned place and writes the report as it goes.
 * @throws AppError invalid_request for ports that cannot be read
 * @throws the reason of `ctx.signal`, once every socket is gone
 */
export async function runBaseline(
  job: ScanJob,
  ctx: RunContext,
  settings: BaselineSettings,
  clock: Clock,
): Promise<RawReport> {
  ctx.signal.throwIfAborted();
  const { intensity } = job.request;
  const places = planPlaces(job.targets, job.request);
  const journal = createJournal(ctx.report, ctx.signal);
  const limits = LIMITS[intensity];
  const run: Run = {
    places,
    job,
    ctx,
    settings,
    journal,
    notes: createNotes(),
    scan: { limits, sockets: createGate(settings.max_sockets), clock, budget: limits.requestsPerScan },
    repeats: createRepeats(places),
    tracker: { begun: new Set(), shares: new Map(), sum: 0, done: 0, findings: 0, shortOf: undefined },
  };
  if (intensity !== 'intrusive')
    run.notes.skipped(`more ports, files and folders: only at a higher intensity than ${intensity}`);
  try {
    await journal.write({
      scanmux_baseline: REPORT_VERSION,
      intensity,
      started_at: new Date(clock.now()).toISOString(),
    });
    await lookAtAll(run);
    await journal.write(checksLine(run.notes));
    await journal.write({ end: true });
    await journal.end();
  } catch (error) {
    journal.cutShort([...cutPlaces(run.tracker), checksLine(run.notes)]);
    ctx.signal.throwIfAborted();
    throw error;
  }
  const { shortOf } = run.tracker;
  return shortOf === undefined ? { whole: true } : { whole: false, reason: shortOf };
}

const checksLine = (notes: Notes): ReportLine => ({ kind: 'checks', ...notes.summary() });

const cutPlaces = ({ begun }: Tracker): ReportLine[] =>
  [...begun].map(({ place }) => ({
    kind: 'place',
    place: { place, status: 'partial', reason: 'the scan was stopped' },
  }));

/** The first failure stops the others at their next step, and nothing is left running when it is thrown. */
async function lookAtAll(run: Run): Promise<void> {
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(run.ctx.signal.reason);
  run.ctx.signal.addEventListener('abort', onAbort, { once: true });
  const queue = run.places.values();
  const work = async (): Promise<void> => {
    for (const place of queue) await lookAtOne(place, run, stop.signal);
  };
  const workers = Array.from({ length: PLACES_AT_ONCE }, () =>
    work().catch((error: unknown) => {
      stop.abort(error);
      throw error;
    }),
  );
  try {
    await settleAll(workers);
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    run.ctx.signal.removeEventListener('abort', onAbort);
  }
}

async function lookAtOne(place: PlannedPlace, run: Run, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { tracker, scan, settings, notes } = run;
  const lane = createLane(scan, signal);
  try {
    const outcome = await lookAt(place, {
      lane,
      waits: { connectMs: settings.connect_timeout_ms, answerMs: settings.answer_timeout_ms },
      traceId: run.job.traceId,
      intensity: run.job.request.intensity,
      clock: scan.clock,
      notes,
      evidence: () => void tracker.begun.add(place),
      found: (location, observation) => report(run, location, observation),
      advanced: (share, phase) => advance(run, place, share, phase),
    });
    await run.journal.write({ kind: 'place', place: outcome.place });
    if (outcome.scope) await run.journal.write({ kind: 'scope', ...scopeLine(outcome.scope) });
    tracker.begun.delete(place);
    if (outcome.place.status === 'partial') tracker.shortOf ??= outcome.place.reason;
    tracker.done += 1;
    advance(run, place, 1, 'checking services');
  } finally {
    lane.close();
  }
}

/** Longest text kept of one thing the target wrote; keeps every line far below the limit of the parser. */
const MAX_TEXT = 4_000;

const shortened = (texts: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(texts).flatMap(([key, text]) => (text === undefined ? [] : [[key, text.slice(0, MAX_TEXT)]])),
  );

async function report({ journal, tracker, repeats }: Run, at: Location, observation: Observation): Promise<void> {
  if (repeats.isRepeat(at, observation)) return;
  const { rule, confidence = 'firm', untrusted = {}, discriminator, parameter, method } = observation;
  const line: FindingLine = {
    kind: 'finding',
    rule,
    confidence,
    location: { ...at, ...(parameter === undefined ? {} : { parameter }), ...(method === undefined ? {} : { method }) },
    untrusted: shortened(untrusted),
    ...(discriminator === undefined ? {} : { discriminator: discriminator.slice(0, 300) }),
  };
  tracker.findings += 1;
  await journal.write(line);
}

function advance({ places, tracker, ctx }: Run, place: PlannedPlace, share: number, phase: string): void {
  tracker.sum += share - (tracker.shares.get(place) ?? 0);
  tracker.shares.set(place, share);
  ctx.progress({
    percent: Math.min(100, Math.floor((100 * tracker.sum) / places.length)),
    phase,
    hostsDone: tracker.done,
    findingsSoFar: tracker.findings,
    estimated: true,
  });
}
