import type {
  Finding,
  FindingPage,
  FindingQuery,
  FindingsRef,
  Looked,
  ReportedHost,
  ShownFinding,
  Suppressions,
} from './findings.ts';
import type { Place } from '../model/coverage.ts';
import { knownChecks, placesWhereRan } from './checks-run.ts';
import { compareScans } from './compare.ts';
import type { ComparisonInput, ComparisonPage } from './comparison.ts';
import type { Exported, ExportJobInput } from './exports/export-job.ts';
import { fileLooks } from './file-looks.ts';
import { queryPage } from './query.ts';
import { readFinding } from './read-finding.ts';
import { readHosts, readLooked, readUntested } from './looked.ts';
import type { OpenFiles } from './open-files.ts';
import { showFound, urgencyAt } from './search-order.ts';
import { searchFile } from './search-file.ts';
import { similarRules } from './similar-rules.ts';
import { whereStanding } from './search-standing.ts';
import type {
  ChecksInput,
  KnownCheck,
  LooksInput,
  LooksOutput,
  Presence,
  PresenceInput,
  RanInput,
  SearchInput,
  SearchOutput,
  ShowInput,
  SimilarInput,
  StandingInput,
  StandingOutput,
  UrgencyInput,
  UrgencyKey,
  Witness,
  WitnessInput,
} from './searching.ts';
import { findPresence, findWitness } from './witness.ts';

/** What each job takes and gives: plain data, because it crosses between threads. */
export interface JobShapes {
  readonly query: {
    readonly input: { readonly ref: FindingsRef; readonly query: FindingQuery; readonly suppressions: Suppressions };
    readonly output: FindingPage;
  };
  readonly get: {
    readonly input: { readonly ref: FindingsRef; readonly number: number; readonly suppressions: Suppressions };
    readonly output: Finding | undefined;
  };
  readonly untested: {
    readonly input: { readonly file: string; readonly limit: number };
    readonly output: readonly Place[];
  };
  readonly looked: { readonly input: { readonly file: string }; readonly output: Looked };
  readonly hosts: { readonly input: { readonly file: string }; readonly output: readonly ReportedHost[] };
  readonly compare: { readonly input: ComparisonInput; readonly output: ComparisonPage };
  readonly search: { readonly input: SearchInput; readonly output: SearchOutput };
  readonly checks: {
    readonly input: ChecksInput;
    readonly output: readonly KnownCheck[];
  };
  readonly ran: { readonly input: RanInput; readonly output: Uint8Array };
  readonly show: { readonly input: ShowInput; readonly output: readonly ShownFinding[] };
  readonly urgency: { readonly input: UrgencyInput; readonly output: UrgencyKey | undefined };
  readonly similar: { readonly input: SimilarInput; readonly output: readonly string[] };
  readonly standing: { readonly input: StandingInput; readonly output: StandingOutput };
  readonly looks: { readonly input: LooksInput; readonly output: LooksOutput };
  readonly witness: { readonly input: WitnessInput; readonly output: Witness | undefined };
  readonly presence: { readonly input: PresenceInput; readonly output: Presence };
  readonly export: { readonly input: ExportJobInput; readonly output: Exported };
}

export type JobName = keyof JobShapes;
export type JobInput<N extends JobName> = JobShapes[N]['input'];
export type JobOutput<N extends JobName> = JobShapes[N]['output'];

/**
 * One question about findings files. `signal` aborts when nobody waits for the answer any more; only a job that takes
 * longer than a moment need look at it.
 */
export type Job<N extends JobName> = (
  files: OpenFiles,
  input: JobInput<N>,
  signal: AbortSignal,
) => Promise<JobOutput<N>>;

/** Everything a reader thread can do. */
export const JOBS: { readonly [N in JobName]: Job<N> } = {
  query: (files, { ref, query, suppressions }) =>
    files.use(ref.file, (file) => queryPage(file, ref.scanId, query, suppressions)),
  get: (files, { ref, number, suppressions }) =>
    files.use(ref.file, (file) => readFinding(file, ref.scanId, number, suppressions)),
  untested: (files, { file: path, limit }) => files.use(path, (file) => readUntested(file, limit)),
  looked: (files, { file: path }) => files.use(path, readLooked),
  hosts: (files, { file: path }) => files.use(path, readHosts),
  compare: compareScans,
  search: searchFile,
  checks: knownChecks,
  ran: placesWhereRan,
  show: showFound,
  urgency: urgencyAt,
  similar: similarRules,
  standing: whereStanding,
  looks: fileLooks,
  witness: findWitness,
  presence: findPresence,
  // Loaded when somebody exports: most programs never do.
  export: async (files, input, signal) => (await import('./exports/export-job.ts')).runExport(files, input, signal),
};

/** Runs a job by its name; generic, so that input and output stay those of that job. */
export const runJob = <N extends JobName>(
  name: N,
  files: OpenFiles,
  input: JobInput<N>,
  signal: AbortSignal,
): Promise<JobOutput<N>> => JOBS[name](files, input, signal);
