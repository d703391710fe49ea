import type { Change, Lack } from '../model/contract/compare.ts';
import type { FindingFilter, FindingsRef, ShownFinding, Suppressions } from './findings.ts';
import type { LookFacts } from './look-proof.ts';

/** One of the two scans of a comparison. */
export interface ComparedScan extends FindingsRef {
  readonly facts: LookFacts;
}

export interface ComparisonQuery {
  readonly filter: FindingFilter;
  readonly include_suppressed?: boolean;
  /** Bounds the JSON of `findings`, by the estimator in findings/tokens.ts. */
  readonly max_tokens: number;
  readonly cursor?: string;
}

export interface ComparisonInput {
  readonly head: ComparedScan;
  readonly base: ComparedScan;
  readonly query: ComparisonQuery;
  readonly suppressions: Suppressions;
}

export type ChangeCounts = Readonly<Record<Change, number>>;

/** How many findings there are of each kind of lacking proof; those there are any of. */
export type LackCounts = Readonly<Partial<Record<Lack, number>>>;

export interface ComparisonPage {
  /** `cve`: two engines, compared by weakness. */
  readonly comparedBy: 'fingerprint' | 'cve';
  /** Exact, for the filters. */
  readonly counts: ChangeCounts;
  /** Where the engine is one: what the proof lacks for those counted as newly visible and as not observed. */
  readonly lacks: Readonly<Record<'newly_visible' | 'not_observed', LackCounts>>;
  /** False when both scans say where they looked, and nowhere twice. */
  readonly sharesPlaces: boolean;
  /** Match the filters and are suppressed: in none of the counts, unless they were asked for. */
  readonly suppressed: number;
  /** Findings that match the filters but have no CVE. Only for two engines. */
  readonly notComparable?: { readonly head: number; readonly base: number };
  /** With `change`, `changed` where something did, and `why` where a proof lacks something. */
  readonly findings: readonly ShownFinding[];
  readonly nextCursor?: string;
}
