import { join } from 'node:path';
import { Readable } from 'node:stream';
import { errorFacts } from '../../../src/model/errors.ts';
import type { ReportEvent } from '../../../src/model/report.ts';
import { parseNessus } from '../../../src/scanners/nessus/parse.ts';
import { realFiles, REPORTS } from '../../reports/real-files.ts';

export const FOLDER = join(REPORTS, 'nessus');
export const realReports = (): readonly string[] =>
  realFiles('nessus').filter((name) => /\.(?:nessus|xml)$/.test(name));

export interface Read {
  readonly events: readonly ReportEvent[];
  /** Code of the refusal, if there was one. */
  readonly code?: string;
  readonly message?: string;
}

export type Way = 'fast' | 'reference';

/** The bytes in chunks of a length, as a disk or a network gives them. */
export function* chunks(bytes: Uint8Array, length: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield Buffer.from(bytes.subarray(at, at + length));
}

export async function read(report: string | Uint8Array, way: Way = 'fast', chunk = 64 << 10): Promise<Read> {
  const events: ReportEvent[] = [];
  const source = Readable.from(chunks(Buffer.from(report), chunk));
  try {
    for await (const event of parseNessus(source, { isFast: way === 'fast' })) events.push(event);
    return { events };
  } catch (error) {
    const { code, message } = errorFacts(error);
    return { events, code, message };
  }
}

export const itemsIn = ({ events }: Read) =>
  events.flatMap((event) => (event.kind === 'occurrence' ? [{ ...event.rule, ...event.occurrence }] : []));
export const rulesIn = ({ events }: Read) =>
  events.flatMap((event) => (event.kind === 'occurrence' ? [event.rule] : []));
export const placesIn = ({ events }: Read) => events.flatMap((event) => (event.kind === 'place' ? [event.place] : []));
export const scopesIn = ({ events }: Read) => events.flatMap((event) => (event.kind === 'scope' ? [event.scope] : []));
export const sourceIn = ({ events }: Read) =>
  Object.assign({}, ...events.map((event) => (event.kind === 'source' ? event.source : {})));
export const hasEnd = ({ events }: Read): boolean => events.some(({ kind }) => kind === 'end');
