import type { ReportEvent } from '../../model/report.ts';
import type { XmlAttributes } from '../../platform/xml-reader.ts';
import { plainName } from '../plain-name.ts';
import { createRepeats, type Repeats } from './repeats.ts';
import { createScopeLedger, type ScopeLedger } from './report-scope.ts';

/** What is known across the documents of one report. */
export interface Tally {
  /** Where the first document ends that ends in its middle. */
  cutAt?: string;
  documents: number;
  succeeded: number;
  /** nmap, or another program that writes the same format. */
  tool: string | undefined;
  version: string | undefined;
  /** Epoch milliseconds. */
  startedAt: number | undefined;
  finishedAt: number | undefined;
  readonly scopes: ScopeLedger;
  readonly repeats: Repeats;
}

export const createTally = (): Tally => ({
  documents: 0,
  succeeded: 0,
  tool: undefined,
  version: undefined,
  startedAt: undefined,
  finishedAt: undefined,
  scopes: createScopeLedger(),
  repeats: createRepeats(),
});

export function noteStart(tally: Tally, { scanner, version, start }: XmlAttributes): void {
  tally.tool ??= plainName(scanner ?? '');
  tally.version ??= version?.slice(0, 100);
  tally.startedAt ??= timeOf(start);
}

export function noteFinish(tally: Tally, { time }: XmlAttributes): void {
  tally.finishedAt = timeOf(time) ?? tally.finishedAt;
}

export const sourceOf = ({ tool, version, startedAt, finishedAt }: Tally): ReportEvent => ({
  kind: 'source',
  source: {
    tool: tool ?? 'nmap',
    ...(version === undefined ? {} : { version }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
  },
});

/** nmap writes times as seconds since 1970. */
const timeOf = (text = ''): number | undefined => (/^\d{9,10}$/.test(text) ? Number(text) * 1_000 : undefined);
