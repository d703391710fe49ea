import { Readable } from 'node:stream';
import { AppError } from '../../src/model/errors.ts';
import { Occurrence, ParsedFinding, RuleFacts } from '../../src/model/finding.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import type { ReportFormat } from '../../src/scanners/report-format.ts';

/** What reading a report gave, up to its end or to what could not be read. */
export interface Read {
  readonly events: readonly ReportEvent[];
  readonly findings: readonly ParsedFinding[];
  readonly error: AppError | undefined;
}

/** Bytes in pieces of a size, as a file or a socket may give them. */
export function inPieces(report: string | Buffer, bytes = 64 << 10): Readable {
  const whole = Buffer.from(report);
  const pieces = Array.from({ length: Math.ceil(whole.length / bytes) }, (_, at) =>
    whole.subarray(at * bytes, (at + 1) * bytes),
  );
  return Readable.from(pieces);
}

/** Reads everything; any other failure than `report_unreadable` is thrown. What comes out must fit the schemas. */
export async function read(format: Pick<ReportFormat, 'parse'>, report: Readable): Promise<Read> {
  const events: ReportEvent[] = [];
  let error: AppError | undefined;
  try {
    for await (const event of format.parse(report)) events.push(event);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'report_unreadable') throw thrown;
    error = thrown;
  }
  const findings = events.flatMap((event) => {
    if (event.kind === 'finding') return [ParsedFinding.parse(event.finding)];
    if (event.kind !== 'occurrence') return [];
    return [{ ...RuleFacts.parse(event.rule), ...Occurrence.parse(event.occurrence) }];
  });
  return { events, findings, error };
}

/** The findings of a report that must be readable, written as a value or as text. */
export async function findingsOf(
  format: Pick<ReportFormat, 'parse'>,
  report: unknown,
): Promise<readonly ParsedFinding[]> {
  const { findings, error } = await read(
    format,
    inPieces(typeof report === 'string' ? report : JSON.stringify(report)),
  );
  if (error) throw error;
  return findings;
}

/** The one finding of a report. */
export async function findingOf(format: Pick<ReportFormat, 'parse'>, report: unknown): Promise<ParsedFinding> {
  const [finding, ...more] = await findingsOf(format, report);
  if (!finding || more.length > 0) throw new Error(`expected one finding, got ${more.length + (finding ? 1 : 0)}`);
  return finding;
}
