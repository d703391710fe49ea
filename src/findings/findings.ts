import type { Coverage, Place } from '../model/coverage.ts';
import type { AppError } from '../model/errors.ts';
import type { BySeverity, ParsedFinding, RuleFacts, Severity } from '../model/finding.ts';
import type { ReportEvent, ReportScope, ReportSource } from '../model/report.ts';
import type { LoginProblems } from '../model/login-problem.ts';
import type { Artefact, Authentication } from '../model/scan.ts';
import type { Suppressions, SuppressionStatus } from '../model/suppression.ts';
import type { PinnedTarget } from '../model/target.ts';
import type { ComparisonInput, ComparisonPage } from './comparison.ts';
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
  SimilarInput,
  ShowInput,
  StandingInput,
  StandingOutput,
  UrgencyInput,
  UrgencyKey,
  Witness,
  WitnessInput,
} from './searching.ts';
import type { Exported, ExportRequest } from './exports/export-job.ts';

/** A finding as it is stored and shown: the parsed one with what ingest adds. */
export interface Finding extends ParsedFinding {
  /** Set when a judgement of the tenant holds for it and suppressed findings were asked for. */
  readonly suppression?: { readonly status: SuppressionStatus; readonly reason: string; readonly expires_at: string };
  readonly finding_id: string;
  readonly fingerprint: string;
  readonly engine: string;
  /** Names of the patterns in `untrusted` that look like instructions to a model. */
  readonly injection_signals: readonly string[];
}

export interface IngestInput {
  readonly scanId: string;
  readonly epoch: number;
  readonly engine: string;
  /** Folder of this attempt; the findings file is written here, never over another. */
  readonly folder: string;
  /**
   * What was asked for: places without a word in the report are `not_tested`. `as_reported` (imports): the places the
   * report speaks of are what was asked for.
   */
  readonly targets: readonly PinnedTarget[] | 'as_reported';
  /** Notes for `not_looked_for`, e.g. addresses that were skipped. */
  readonly notLookedFor?: readonly string[];
  readonly events: AsyncIterable<ReportEvent>;
  /** Adds what is known of a rule from elsewhere (EPSS, KEV). Called once per different rule. */
  readonly enrich?: (rule: RuleFacts) => RuleFacts;
}

export interface Ingested {
  readonly artefact: Artefact;
  readonly coverage: Coverage;
  /** Places by how far a login came; absent when the report speaks of none. */
  readonly authentication?: Authentication;
  readonly loginProblems?: LoginProblems;
  readonly findings: number;
  readonly bySeverity: BySeverity;
  /** The report's own end was seen, and nothing after it was unreadable. */
  readonly ended: boolean;
  /** Who made the report, as far as it says. */
  readonly source: ReportSource;
  /** Hosts in URLs and names of findings besides those the findings are sorted by. */
  readonly spokenHosts?: readonly ReportedHost[];
  /** What could not be read, and where; what could be is in the file. Code `report_unreadable`. */
  readonly readError?: AppError;
}

export type GroupBy = 'none' | 'host' | 'rule' | 'cve' | 'severity' | 'solution';
export type Detail = 'minimal' | 'brief' | 'summary' | 'full';
/** `count` is for groups: the largest first. */
export type Sort = 'urgency' | 'severity' | 'host' | 'cvss' | 'epss' | 'count';

/** Filters on the full data. */
export interface FindingFilter {
  readonly severity_levels?: readonly Severity[];
  readonly min_severity?: Severity;
  readonly min_cvss?: number;
  readonly min_epss?: number;
  readonly kev_only?: boolean;
  readonly exploit_available?: boolean;
  /** IP, CIDR or name. */
  readonly host?: string;
  readonly port?: number;
  readonly cve?: string;
  readonly rule_id?: string;
  readonly text?: string;
}

export interface FindingQuery extends FindingFilter {
  readonly group_by: GroupBy;
  readonly detail: Detail;
  readonly fields?: readonly string[];
  readonly sort: Sort;
  /** Bounds the JSON of `findings` or `groups`, by the estimator in findings/tokens.ts. */
  readonly max_tokens: number;
  readonly cursor?: string;
  /** Suppressed findings are shown, marked, and counted with the rest. */
  readonly include_suppressed?: boolean;
}

export { NO_SUPPRESSIONS } from '../model/suppression.ts';
export type { Suppression, Suppressions, SuppressionStatus } from '../model/suppression.ts';

/** A findings file and the scan it belongs to. */
export interface FindingsRef {
  readonly file: string;
  readonly scanId: string;
}

/** Findings as the asked-for detail shows them: plain JSON with public keys. */
export type ShownFinding = Readonly<Record<string, unknown>>;

export interface FindingGroup {
  readonly key: string;
  /** Of a rule, where it has another name than its id. */
  readonly title?: string;
  readonly count: number;
  readonly hosts: number;
  readonly max_severity: Severity;
  readonly max_cvss?: number;
  readonly max_epss?: number;
  readonly kev: boolean;
  readonly sample_finding_id: string;
  /** Only when the first group alone was over the budget: what was cut, as `key: 2000 -> 400 characters`. */
  readonly cut?: readonly string[];
}

export interface FindingPage {
  readonly total: number;
  readonly totalUnfiltered: number;
  readonly bySeverity: BySeverity;
  /** Match the filters but are suppressed, so that they are in none of the other numbers (unless they were asked for). */
  readonly suppressed: BySeverity;
  readonly findings?: readonly ShownFinding[];
  readonly groups?: readonly FindingGroup[];
  readonly nextCursor?: string;
  /** Of all findings of the file, whatever the filters: how many the report itself took back (`isWithdrawn`). */
  readonly withdrawn: number;
  /** What matches but comes after this page (or group page), by severity. */
  readonly omitted: BySeverity;
}

/** The findings databases: one immutable SQLite file per finished attempt. */
export interface FindingsStore {
  /**
   * Parses nothing itself: takes the events, checks and cleans them, tells repeats apart, numbers, writes. A report that
   * becomes unreadable midway keeps what was whole (`readError`). The path of the artefact is relative to
   * `input.folder`.
   * @throws AppError storage_full, storage_unusable; report_unreadable when it holds more findings than the limit
   */
  ingest(input: IngestInput): Promise<Ingested>;
  /** @throws AppError cursor_invalid, invalid_request */
  query(ref: FindingsRef, query: FindingQuery, suppressions?: Suppressions): Promise<FindingPage>;
  /** Undefined when the file has no such number. With suppressions, it says which one holds for it. */
  get(ref: FindingsRef, number: number, suppressions?: Suppressions): Promise<Finding | undefined>;
  /** Requested places that were not fully tested, with reasons, by name; the first `limit` of them. */
  untested(file: string, limit: number): Promise<readonly Place[]>;
  /** What the file proves was looked at. */
  looked(file: string): Promise<Looked>;
  /** Hosts that places and findings speak of, each once. */
  hosts(file: string): Promise<readonly ReportedHost[]>;
  /** What became of the findings of one scan in a later one. @throws AppError cursor_invalid, invalid_request */
  compare(input: ComparisonInput): Promise<ComparisonPage>;
  /** What of one file answers a question over many. @throws AppError invalid_request */
  search(input: SearchInput): Promise<SearchOutput>;
  /** Checks in a file whose own facts pass the filter, whatever they found. @throws AppError invalid_request */
  checks(input: ChecksInput): Promise<readonly KnownCheck[]>;
  /** Whether one of the checks is proven to have run at a place: a value of `RAN` for each. */
  ran(input: RanInput): Promise<Uint8Array>;
  /** Findings of a search, in the order of `indices`. */
  show(input: ShowInput): Promise<readonly ShownFinding[]>;
  /** Undefined where the file has no such finding. */
  urgency(input: UrgencyInput): Promise<UrgencyKey | undefined>;
  /** Rule ids of a file that are like one. */
  similar(input: SimilarInput): Promise<readonly string[]>;
  /** Where a file has what is asked about and newer scans do not disprove it. @throws AppError invalid_request */
  standing(input: StandingInput): Promise<StandingOutput>;
  /** Places of a file with all words for them. */
  looks(input: LooksInput): Promise<LooksOutput>;
  /** The most urgent finding of the same weakness at the same place. */
  witness(input: WitnessInput): Promise<Witness | undefined>;
  /** Whether a fingerprint is in a file, and whether that says anything. */
  presence(input: PresenceInput): Promise<Presence>;
  /**
   * Writes findings, or the raw report, to a file of their own; the same export again is the same file.
   * @throws AppError storage_full, storage_unusable, invalid_request, scan_aborted when `signal` aborts
   */
  export(request: ExportRequest, signal: AbortSignal): Promise<Exported>;
  /** Removes old exports, and all of scans that are gone. Those being made are left. */
  tidyExports(goneScanIds: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Everything a file says about what was looked at. */
export interface Looked {
  readonly engine: string;
  readonly places: readonly Place[];
  readonly scopes: readonly ReportScope[];
}

/** A host as a report names it: by name, by address, or by both. */
export interface ReportedHost {
  readonly name?: string;
  readonly address?: string;
  /** Set when only a place is called so, by a name that a file or package may have as well (`go.mod`). */
  readonly maybeArtefact?: boolean;
}
