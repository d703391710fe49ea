import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReportEvent } from '../../../src/model/report.ts';
import { parseNmap } from '../../../src/scanners/nmap/parse.ts';

export const fixture = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../../fixtures/nmap', name));

export async function eventsOf(report: string | Uint8Array): Promise<ReportEvent[]> {
  const events: ReportEvent[] = [];
  for await (const event of parseNmap(Readable.from([Buffer.from(report)]))) events.push(event);
  return events;
}

/** What came before a refusal, and the refusal. */
export async function eventsUntil(report: Uint8Array): Promise<{ events: ReportEvent[]; error: unknown }> {
  const events: ReportEvent[] = [];
  try {
    for await (const event of parseNmap(Readable.from([report]))) events.push(event);
    return { events, error: undefined };
  } catch (error) {
    return { events, error };
  }
}

export const placesIn = (events: readonly ReportEvent[]) =>
  events.flatMap((event) => (event.kind === 'place' ? [event.place] : []));
export const findingsIn = (events: readonly ReportEvent[]) =>
  events.flatMap((event) => (event.kind === 'finding' ? [event.finding] : []));
export const checksIn = (events: readonly ReportEvent[]) =>
  events.flatMap((event) => (event.kind === 'checks' ? [event] : []));
export const hasEnd = (events: readonly ReportEvent[]): boolean => events.some(({ kind }) => kind === 'end');
