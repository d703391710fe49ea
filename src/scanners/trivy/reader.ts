import { AppError } from '../../model/errors.ts';
import { Occurrence } from '../../model/finding.ts';
import type { ReportEvent } from '../../model/report.ts';
import type { JsonPart } from '../../platform/json-stream.ts';
import type { Spool } from '../../platform/spool.ts';
import { defined, isObject, objectOf, textOf, timeOf, wholeOf } from '../json-fields.ts';
import { createRuleCache } from '../rule-cache.ts';
import { readItem } from '../unreadable-item.ts';
import { keptPath, shownUrl } from '../web-place.ts';
import { isFailure, licence, misconfiguration, secret, vulnerability } from './items.ts';
import { createLooks } from './looks.ts';
import type { Artifact, ResultFacts } from './place.ts';

const MAPPERS = { vulnerability, misconfiguration, secret, licence };
const isMapped = (name: string): name is keyof typeof MAPPERS => Object.hasOwn(MAPPERS, name);
const IMAGES = new Set(['container_image', 'image']);
const HEADERS = new Set(['Target', 'Class', 'Type']);

/** An item of a result, or (`look`) that the result was there at all. It waits until its place is known. */
interface Held {
  readonly name: string;
  readonly index: number;
  readonly offset: number;
  readonly value: unknown;
  readonly result: ResultFacts;
}

/** Keeps what is known of the report so far, and turns items into findings once their place is known. */
export class TrivyReader {
  readonly #what: string;
  /** Items of a result that has not said all of its facts, and of a report that has not. */
  readonly #ofResult: Spool;
  readonly #ofReport: Spool;
  readonly #intern = createRuleCache();
  readonly #looks = createLooks();
  #report: Record<string, unknown> = {};
  #resource: Record<string, unknown> | undefined;
  #result: Record<string, unknown> = {};
  #modified = 0;
  #hasResult = false;
  /** Nothing more will be said of the report as a whole: it ended, or is a list of results. */
  #isWhole = false;

  constructor(what: string, ofResult: Spool, ofReport: Spool) {
    this.#what = what;
    this.#ofResult = ofResult;
    this.#ofReport = ofReport;
  }

  async *take(part: JsonPart): AsyncGenerator<ReportEvent> {
    if (part.kind === 'value') {
      if (part.name === 'modified') this.#modified += 1;
      else if (part.name === 'look' || isMapped(part.name)) yield* this.#item(part);
      else this.#header(part.name, part.value);
    } else if (part.name === 'report') yield* this.#boundary(part.kind, part.isList);
    else if (part.name === 'resource') yield* this.#resourceBoundary(part.kind);
    else if (part.kind === 'open') this.#result = {};
    else yield* this.#closeResult(part.index, part.offset);
  }

  /** What waited for facts that never came, after the report was cut short. */
  async *rest(): AsyncGenerator<ReportEvent> {
    this.#isWhole = true;
    for await (const value of this.#ofReport.drain()) yield* this.#events(heldOf(value));
    for await (const value of this.#ofResult.drain())
      yield* this.#events({ ...heldOf(value), result: this.#resultFacts() });
  }

  *ending(): Generator<ReportEvent> {
    const version = textOf(objectOf(this.#report['Trivy'])['Version']);
    const title = this.#artifactName() ?? textOf(this.#report['ClusterName']);
    const finishedAt = timeOf(this.#report['CreatedAt']);
    yield { kind: 'source', source: { tool: 'Trivy', ...defined({ version, title, finishedAt }) } };
    if (this.#modified > 0) {
      const note = `${this.#modified} findings that Trivy was told to ignore`;
      yield { kind: 'checks', lookedFor: [], notLookedFor: [note] };
    }
    yield { kind: 'end' };
  }

  /** Of a resource that Trivy failed at nothing is known but that. */
  *#resourceBoundary(kind: 'open' | 'close'): Generator<ReportEvent> {
    const place = this.#artifact().name;
    if (kind === 'close' && textOf(this.#resource?.['Error']) !== undefined && place !== undefined)
      yield { kind: 'place', place: { place, status: 'not_tested', reason: 'Trivy could not scan it.' } };
    this.#resource = kind === 'open' ? {} : undefined;
  }

  async *#boundary(kind: 'open' | 'close', isList: boolean): AsyncGenerator<ReportEvent> {
    this.#isWhole = isList || kind === 'close';
    if (kind === 'open') return;
    const isReport =
      this.#hasResult || ['SchemaVersion', 'ArtifactName', 'ClusterName'].some((key) => key in this.#report);
    if (!isList && !isReport) {
      const message = `The ${this.#what} has no SchemaVersion and no ArtifactName: it is something else.`;
      throw new AppError('report_unreadable', message);
    }
    for await (const value of this.#ofReport.drain()) yield* this.#events(heldOf(value));
  }

  #header(name: string, value: unknown): void {
    if (HEADERS.has(name)) this.#result[name] = value;
    else if (this.#resource) this.#resource[name] = value;
    else this.#report[name] = value;
  }

  async *#item({ name, index, offset, value }: JsonPart & { kind: 'value' }): AsyncGenerator<ReportEvent> {
    const held = { name, index, offset, value, result: this.#resultFacts() };
    if (!['Target', 'Class', 'Type'].every((key) => key in this.#result)) await this.#ofResult.add(held);
    else yield* this.#whenWhole(held);
  }

  async *#closeResult(index: number, offset: number): AsyncGenerator<ReportEvent> {
    const result = this.#resultFacts();
    this.#hasResult = true;
    for await (const value of this.#ofResult.drain()) yield* this.#whenWhole({ ...heldOf(value), result });
    yield* this.#whenWhole({ name: 'look', index, offset, value: null, result });
    this.#result = {};
  }

  async *#whenWhole(held: Held): AsyncGenerator<ReportEvent> {
    const isKnown = this.#resource !== undefined || ('ArtifactName' in this.#report && 'ArtifactType' in this.#report);
    if (isKnown || this.#isWhole) yield* this.#events(held);
    else await this.#ofReport.add(held);
  }

  #events(held: Held): readonly ReportEvent[] {
    const { name, result, value } = held;
    const artifact = this.#artifact();
    if (name === 'look') return this.#looks.of(artifact, result);
    return readItem(this.#what, held, () => {
      if (!isMapped(name) || !isObject(value)) return undefined;
      if (name === 'misconfiguration' && !isFailure(value)) return [];
      const item = MAPPERS[name](value, { artifact, result });
      if (!item) return undefined;
      return [
        { kind: 'occurrence', rule: this.#intern(item.rule), occurrence: Occurrence.parse(item.occurrence) } as const,
      ];
    });
  }

  #artifact(): Artifact {
    if (this.#resource) {
      const { Namespace, Kind, Name } = this.#resource;
      const name = [Namespace, Kind, Name].flatMap((part) => textOf(part) ?? []).join('/');
      return { name: name === '' ? undefined : name, isImage: true };
    }
    const name = this.#artifactName();
    const isImage = IMAGES.has(textOf(this.#report['ArtifactType']) ?? '');
    return { name: name === '.' ? './' : name, isImage };
  }

  /** A repository may be named by a URL with a token in it; the host that keeps it was not looked at. */
  #artifactName(): string | undefined {
    const name = textOf(this.#report['ArtifactName']);
    if (!name?.includes('://')) return name;
    return textOf(this.#report['ArtifactType']) === 'repository' ? keptPath(name) : shownUrl(name);
  }

  #resultFacts(): ResultFacts {
    const { Target, Class, Type } = this.#result;
    return { target: textOf(Target), class: textOf(Class), type: textOf(Type) };
  }
}

/** Of what came back from a spool. */
function heldOf(value: unknown): Held {
  const held = objectOf(value);
  const result = objectOf(held['result']);
  return {
    name: textOf(held['name']) ?? '',
    index: wholeOf(held['index'], 0) ?? 0,
    offset: wholeOf(held['offset'], 0) ?? 0,
    value: held['value'],
    result: { target: textOf(result['target']), class: textOf(result['class']), type: textOf(result['type']) },
  };
}
