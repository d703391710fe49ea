import { AppError } from '../../model/errors.ts';
import type { RuleFacts } from '../../model/finding.ts';
import { scopeOf } from '../../model/native.ts';
import type { SarifRunExtra } from '../../model/sarif-extra.ts';
import type { ReportEvent } from '../../model/report.ts';
import type { JsonPart } from '../../platform/json-stream.ts';
import type { Spool } from '../../platform/spool.ts';
import { unreadableAt } from '../../platform/utf8-chunks.ts';
import { defined, isObject, objectOf, textOf, wholeOf, type JsonObject } from '../json-fields.ts';
import { createRuleCache, type RuleInput } from '../rule-cache.ts';
import { readItem, type ItemPlace } from '../unreadable-item.ts';
import { analysedPlace, needsIndices, needsRepositories } from './place.ts';
import { needsInvocations } from './rating.ts';
import { sarifFinding } from './result.ts';
import { SarifRun } from './run.ts';

/** Reads the runs of a log one after the other. */
export class SarifReader {
  readonly #what: string;
  /** Results whose rules or places may still come. */
  readonly #waiting: Spool;
  readonly #intern: (input: RuleInput) => RuleFacts = createRuleCache();
  #run: SarifRun | undefined;
  #isWhole = true;
  #runs = 0;
  hasRuns = false;

  constructor(what: string, waiting: Spool) {
    this.#what = what;
    this.#waiting = waiting;
  }

  async *take(part: JsonPart): AsyncGenerator<ReportEvent> {
    const { name } = part;
    if (part.kind === 'value') {
      if (name === 'result') yield* this.#result(part);
      else yield* this.#value(part);
    } else if (name === 'runs') this.hasRuns = true;
    else if (name !== 'run') this.#run?.boundary(name, part.kind);
    else if (part.kind === 'open') {
      this.#run = new SarifRun();
      this.#runs += 1;
    } else yield* this.#endRun();
  }

  /** Results that waited when the log was cut short, with what is known of them. */
  async *rest(): AsyncGenerator<ReportEvent> {
    for await (const held of this.#waiting.drain()) yield* this.#held(held);
  }

  *ending(): Generator<ReportEvent> {
    if (this.#isWhole) yield { kind: 'end' };
  }

  *#value(part: JsonPart & { readonly kind: 'value' }): Generator<ReportEvent> {
    const { name, value } = part;
    const run = this.#run;
    if (name === 'version') refuseOldVersion(this.#what, textOf(value) ?? '');
    if (name === 'inline result')
      throw unreadableAt(this.#what, 'keeps results in inlineExternalProperties', part.offset);
    if (!run) return;
    readItem(this.#what, part, () => (run.value(name, value) ? true : undefined));
    // All findings of a report are of one engine: a later run cannot change it.
    if (name === 'properties' && this.#runs > 1) run.own = undefined;
    // The engine is part of every fingerprint, so it must be said before the first finding.
    if (name === 'properties' && run.own) yield { kind: 'source', source: { engine: run.own.engine } };
  }

  async *#result(part: JsonPart & { readonly kind: 'value' }): AsyncGenerator<ReportEvent> {
    const { value, index, offset } = part;
    if (isObject(value) && this.#mustWait(value)) await this.#waiting.add({ value, index, offset });
    else yield this.#finding(value, part);
  }

  #mustWait(result: JsonObject): boolean {
    const run = this.#run;
    if (!run?.isToolKnown) return true;
    if (!run.seen.has('properties') && objectOf(result['properties'])['scanmux'] !== undefined) return true;
    const { seen } = run;
    if (!seen.has('invocations') && needsInvocations(result)) return true;
    if (!seen.has('repositories') && needsRepositories(result, run)) return true;
    return !(seen.has('artifacts') && seen.has('logicalLocations')) && needsIndices(result);
  }

  #finding(value: unknown, place: ItemPlace): ReportEvent {
    const run = this.#run ?? new SarifRun();
    return readItem(this.#what, place, () =>
      isObject(value) ? ({ kind: 'occurrence', ...sarifFinding(value, run, this.#intern) } as const) : undefined,
    );
  }

  *#held(held: unknown): Generator<ReportEvent> {
    const { value, index, offset } = objectOf(held);
    yield this.#finding(value, { name: 'result', index: wholeOf(index, 0) ?? 0, offset: wholeOf(offset, 0) ?? 0 });
  }

  async *#endRun(): AsyncGenerator<ReportEvent> {
    const run = this.#run;
    if (!run) return;
    for await (const held of this.#waiting.drain()) yield* this.#held(held);
    const { driver, title, times, own } = run;
    const engine = own?.engine;
    const facts = defined({
      engine,
      tool: driver.name,
      version: driver.version ?? driver.semanticVersion,
      title: own ? undefined : title,
    });
    yield { kind: 'source', source: { ...facts, ...times } };
    yield* own ? ownCoverage(own) : coverageOf(run);
    if (own ? !own.whole || own.filtered.length > 0 : !isWhole(run)) this.#isWhole = false;
    this.#run = undefined;
  }
}

/** Versions before 2.1 have other names for much of it. */
function refuseOldVersion(what: string, version: string): void {
  const [old] = /^(?:1\.|2\.0)\d*/.exec(version) ?? [];
  if (old === undefined) return;
  throw new AppError('report_unreadable', `The ${what} is of version ${old.replace(/\.$/, '')}; convert it to 2.1.0.`);
}

/** All results of the run are in this log. A run without a list of them only describes its tool. */
const isWhole = ({ isFailed, seen }: SarifRun): boolean => !isFailed && seen.has('results') && !seen.has('external');

/** What the tool was told to analyse and did not fail on, and what it says went wrong. */
function* coverageOf(run: SarifRun): Generator<ReportEvent> {
  const { driver, isFailed, toolErrors, analysed } = run;
  const notLookedFor = [
    ...(isFailed ? [`${driver.name ?? 'the tool'} says that it did not succeed`] : []),
    ...(toolErrors > 0 ? [`${toolErrors} errors that the tool reported while it ran`] : []),
    ...(run.seen.has('results') ? [] : ['results: the log has no list of them']),
    ...(run.seen.has('external') ? ['parts of the log that are kept in other files'] : []),
  ];
  yield { kind: 'checks', lookedFor: driver.name === undefined ? [] : [driver.name], notLookedFor };
  if (!isWhole(run)) return;
  const isKept = run.hosts.has('keeps the file') && !run.hosts.has('was looked at');
  for (const uri of analysed)
    yield { kind: 'place', place: { place: analysedPlace(uri, isKept, run), status: 'tested' } };
}

/** Coverage of a log that scanmux wrote. */
function* ownCoverage({ places, scopes, coverage, cut }: SarifRunExtra): Generator<ReportEvent> {
  for (const place of places) yield { kind: 'place', place };
  for (const scope of scopes) yield { kind: 'scope', scope: scopeOf({ scope }) };
  const left = cut ? ['places that the SARIF log had no room for'] : [];
  yield { kind: 'checks', lookedFor: coverage.looked_for, notLookedFor: [...coverage.not_looked_for, ...left] };
}
