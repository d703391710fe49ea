import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { AppError } from '../../model/errors.ts';
import { Occurrence, RuleFacts } from '../../model/finding.ts';
import {
  NATIVE_MAX_LINE_BYTES,
  NativeEndLine,
  NativeFindingLine,
  NativeHeader,
  NativePlaceLine,
  NativeScopeLine,
  scopeOf,
} from '../../model/native.ts';
import type { ReportEvent, ReportSource } from '../../model/report.ts';
import { readJsonLines, type JsonLine } from '../../platform/json-lines.ts';
import { unreadableAt } from '../../platform/utf8-chunks.ts';
import { isObject, type JsonObject } from '../json-fields.ts';

const WHAT = 'scanmux findings file';

/**
 * Reads scanmux's own findings file. What comes out are the findings, places and scopes that went in; `end` comes only
 * of a whole scan that was written without filters.
 * @throws AppError report_unreadable naming line and byte; one that was cut short gives its whole lines first
 */
export async function* parseNative(report: Readable): AsyncGenerator<ReportEvent, void, undefined> {
  const reader = new NativeReader();
  for await (const lines of readJsonLines(report, { what: WHAT, maxLineBytes: NATIVE_MAX_LINE_BYTES }))
    for (const line of lines) yield* reader.events(line);
  yield* reader.ending();
}

class NativeReader {
  #header: NativeHeader | undefined;
  #lastRule: { readonly text: string; readonly rule: RuleFacts } | undefined;
  #findings = 0;
  #ended = false;

  *events(line: JsonLine): Generator<ReportEvent> {
    if (this.#header === undefined) yield* this.#begin(line);
    else if (this.#ended) throw wrong(line, 'comes after the end');
    else yield* this.#body(line, this.#header);
  }

  *#begin(line: JsonLine): Generator<ReportEvent> {
    const header = read(line, NativeHeader);
    this.#header = header;
    yield { kind: 'source', source: sourceOf(header) };
    const { looked_for: lookedFor, not_looked_for: notLookedFor } = header.coverage;
    yield { kind: 'checks', lookedFor, notLookedFor };
  }

  *#body(line: JsonLine, header: NativeHeader): Generator<ReportEvent> {
    const { value } = line;
    if (!isObject(value)) throw wrong(line, 'is no object');
    if ('place' in value) yield { kind: 'place', place: read(line, NativePlaceLine).place };
    else if ('scope' in value) yield { kind: 'scope', scope: scopeOf(read(line, NativeScopeLine)) };
    else if ('end' in value) this.#end(line);
    else {
      this.#findings += 1;
      const parts = partsOf(line, value, header.engine);
      yield {
        kind: 'occurrence',
        rule: this.#ruleOf(line, parts.rule),
        occurrence: check(line, Occurrence, parts.occurrence),
      };
    }
  }

  /** Files are written with the findings of one rule beside each other: it is checked once for all of them. */
  #ruleOf(line: JsonLine, value: unknown): RuleFacts {
    const text = textOf(line, value);
    if (this.#lastRule?.text !== text) this.#lastRule = { text, rule: check(line, RuleFacts, value) };
    return this.#lastRule.rule;
  }

  #end(line: JsonLine): void {
    const { findings } = read(line, NativeEndLine);
    if (findings !== this.#findings)
      throw wrong(line, `counts ${findings} findings, but ${this.#findings} stand before it`);
    this.#ended = true;
  }

  *ending(): Generator<ReportEvent> {
    if (this.#header === undefined) throw new AppError('report_unreadable', `The ${WHAT} is empty.`);
    if (!this.#ended) throw new AppError('report_unreadable', `The ${WHAT} has no last line: it was cut short.`);
    if (this.#header.whole && this.#header.filtered.length === 0) yield { kind: 'end' };
  }
}

const RULE_KEYS: ReadonlySet<string> = new Set(Object.keys(RuleFacts.shape));
const OCCURRENCE_KEYS: ReadonlySet<string> = new Set(Object.keys(Occurrence.shape));
/** Worked out anew, or not taken over. */
const LEFT_OUT: ReadonlySet<string> = new Set(
  Object.keys(NativeFindingLine.shape).filter((key) => !RULE_KEYS.has(key) && !OCCURRENCE_KEYS.has(key)),
);

interface FindingParts {
  readonly rule: Readonly<Record<string, unknown>>;
  readonly occurrence: Readonly<Record<string, unknown>>;
}

function partsOf(line: JsonLine, value: JsonObject, engine: string): FindingParts {
  const rule: Record<string, unknown> = {};
  const occurrence: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (RULE_KEYS.has(key)) rule[key] = field;
    else if (OCCURRENCE_KEYS.has(key)) occurrence[key] = field;
    else if (!LEFT_OUT.has(key)) throw wrong(line, `does not fit at ${JSON.stringify(key.slice(0, 100))}`);
  }
  // Its fingerprint would come out another one.
  if (value['engine'] !== undefined && value['engine'] !== engine)
    throw wrong(line, `is a finding of another engine than ${engine}`);
  return { rule, occurrence };
}

function sourceOf({ engine, scan, source }: NativeHeader): ReportSource {
  const title = source?.title ?? scan.name;
  return {
    engine,
    ...(source?.tool === undefined ? {} : { tool: source.tool }),
    ...(source?.version === undefined ? {} : { version: source.version }),
    ...(title === undefined ? {} : { title }),
    ...(scan.started_at === undefined ? {} : { startedAt: Date.parse(scan.started_at) }),
    ...(scan.finished_at === undefined ? {} : { finishedAt: Date.parse(scan.finished_at) }),
  };
}

/** A rule may be nested deeper than the stack is. */
function textOf(line: JsonLine, value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw wrong(line, 'is nested too deep');
  }
}

const read = <Schema extends z.ZodType>(line: JsonLine, schema: Schema): z.infer<Schema> =>
  check(line, schema, line.value);

function check<Schema extends z.ZodType>(line: JsonLine, schema: Schema, value: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  const at = [...(issue?.path ?? []), ...unknown].map(String).join('.').slice(0, 100);
  throw wrong(line, `does not fit at ${JSON.stringify(at || 'its root')}`);
}

const wrong = ({ line, offset }: JsonLine, problem: string): AppError =>
  unreadableAt(WHAT, `has a line ${line} that ${problem}; it begins`, offset);
