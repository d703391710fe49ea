import { Readable } from 'node:stream';
import { ParsedFinding } from '../../src/model/finding.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import type { ReportFormat } from '../../src/scanners/report-format.ts';

/** What came before a refusal, and the refusal. */
export interface Heard {
  readonly events: readonly ReportEvent[];
  readonly error: unknown;
}

/** @param size of the pieces the report comes in, in bytes */
export async function heardFrom(
  { parse }: Pick<ReportFormat, 'parse'>,
  report: string | Uint8Array,
  size = Number.POSITIVE_INFINITY,
): Promise<Heard> {
  const events: ReportEvent[] = [];
  try {
    for await (const event of parse(Readable.from(piecesOf(Buffer.from(report), size)))) events.push(event);
    return { events, error: undefined };
  } catch (error) {
    return { events, error };
  }
}

function* piecesOf(bytes: Buffer, size: number): Generator<Buffer> {
  if (size >= bytes.length) yield bytes;
  else for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function eventsOf(
  format: Pick<ReportFormat, 'parse'>,
  report: string | Uint8Array,
): Promise<ReportEvent[]> {
  const { events, error } = await heardFrom(format, report);
  if (error !== undefined) throw error;
  return [...events];
}

/** Findings, whether they came whole or in two parts. */
export const findingsIn = (events: readonly ReportEvent[]): ParsedFinding[] =>
  events.flatMap((event) => {
    if (event.kind === 'finding') return [event.finding];
    return event.kind === 'occurrence' ? [ParsedFinding.parse({ ...event.rule, ...event.occurrence })] : [];
  });
export const placesIn = (events: readonly ReportEvent[]) =>
  events.flatMap((event) => (event.kind === 'place' ? [event.place] : []));
export const scopesIn = (events: readonly ReportEvent[]) =>
  events.flatMap((event) => (event.kind === 'scope' ? [event.scope] : []));
export const hasEnd = (events: readonly ReportEvent[]): boolean => events.some(({ kind }) => kind === 'end');
