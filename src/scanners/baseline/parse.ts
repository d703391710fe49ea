import type { Readable } from 'node:stream';
import { AppError } from '../../model/errors.ts';
import { ParsedFinding } from '../../model/finding.ts';
import { scopeOf } from '../../model/native.ts';
import type { ReportEvent } from '../../model/report.ts';
import { BodyLine, EndLine, HeaderLine, MAX_LINE_BYTES, type FindingLine } from './report.ts';
import { findRule, ruleId } from './rules/table.ts';

const NEWLINE = 10;

interface Line {
  readonly number: number;
  readonly bytes: Buffer;
  /** False for what follows the last newline: the place where a kill cuts. */
  readonly whole: boolean;
}

const unreadable = (line: number, what: string, cause?: unknown): AppError =>
  new AppError('report_unreadable', `baseline report, line ${line}: ${what}.`, { cause });

/**
 * Reads a report of this engine. One that was cut short gives every whole line and no `end`.
 * @param cut What a report without its end is: that of a scan that was stopped, or no whole report.
 * @throws AppError report_unreadable naming the line; for a cut one after every whole line
 */
export async function* parseReport(
  report: Readable,
  { cut = 'stopped' }: { cut?: 'stopped' | 'unreadable' } = {},
): AsyncGenerator<ReportEvent> {
  let ended = false;
  let hasHeader = false;
  let last = 1;
  for await (const line of linesOf(report)) {
    last = line.number;
    if (ended) throw unreadable(line.number, 'there is more after the end');
    const value = jsonOf(line);
    if (value === undefined && hasHeader) break; // The line a kill cut in two.
    if (!hasHeader) {
      readHeader(line, value);
      hasHeader = true;
      continue;
    }
    const event = eventOf(line, value);
    ended = event.kind === 'end';
    yield event;
  }
  if (!hasHeader) throw unreadable(1, 'the report is empty');
  if (cut === 'unreadable' && !ended) throw unreadable(last, 'it ends here without its last line');
}

function readHeader({ number }: Line, value: unknown): void {
  const header = HeaderLine.safeParse(value);
  if (!header.success) throw unreadable(number, 'no report of this engine, or of an unknown version', header.error);
}

/** Undefined for a last line that is no JSON because it was cut. */
function jsonOf({ number, bytes, whole }: Line): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return value;
  } catch (cause) {
    if (whole) throw unreadable(number, 'not JSON in UTF-8', cause);
    return undefined;
  }
}

function eventOf({ number }: Line, value: unknown): ReportEvent {
  if (EndLine.safeParse(value).success) return { kind: 'end' };
  const line = BodyLine.safeParse(value);
  if (!line.success) throw unreadable(number, 'not a line of this format', line.error);
  switch (line.data.kind) {
    case 'place':
      return { kind: 'place', place: line.data.place };
    case 'scope':
      return { kind: 'scope', scope: scopeOf(line.data) };
    case 'checks':
      return { kind: 'checks', lookedFor: line.data.looked_for, notLookedFor: line.data.not_looked_for };
    case 'finding':
      return { kind: 'finding', finding: findingOf(number, line.data) };
  }
}

/** Title, severity and solution come from the rule table alone: a report cannot reword a check. */
function findingOf(number: number, line: FindingLine): ParsedFinding {
  const rule = findRule(line.rule);
  if (!rule) throw unreadable(number, 'unknown check');
  return ParsedFinding.parse({
    rule_id: ruleId(line.rule),
    rule_family: rule.family,
    title: rule.title,
    severity: rule.severity,
    severity_source: 'rule',
    confidence: line.confidence,
    description: rule.description,
    solution: rule.solution,
    references: [rule.reference],
    cwes: [...rule.cwes],
    location: line.location,
    untrusted: line.untrusted,
    ...(line.discriminator === undefined ? {} : { discriminator: line.discriminator }),
  });
}

/** Splits at newlines on bytes; memory is bounded by the longest line that is allowed. */
async function* linesOf(report: Readable): AsyncGenerator<Line> {
  let number = 1;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of report) {
    let bytes = Buffer.concat([rest, bytesOf(chunk)]);
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE)) {
      if (at > MAX_LINE_BYTES) throw unreadable(number, 'too long');
      yield { number, bytes: bytes.subarray(0, at), whole: true };
      number += 1;
      bytes = bytes.subarray(at + 1);
    }
    if (bytes.length > MAX_LINE_BYTES) throw unreadable(number, 'too long');
    rest = bytes;
  }
  if (rest.length > 0) yield { number, bytes: rest, whole: false };
}

function bytesOf(chunk: unknown): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return Buffer.from(String(chunk));
}
